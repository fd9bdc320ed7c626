// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <vector>

#include "layers/breaker.hpp"
#include "layers/fallback_layer.hpp"
#include "layers/metrics_layer.hpp"
#include "layers/retry.hpp"
#include "layers/try_deadline.hpp"
#include "threadkeep/layers.hpp"

namespace threadkeep {

namespace {

enum class Layer { deadline, breaker, retry, metrics, fallback };

// In the order of Layer.
struct Place {
  std::string_view name;
  std::string_view outside_of_those;  // why it stands outside of the ones before
};
constexpr std::array<Place, 5> places{{
    {"deadline", ""},
    {"breaker", "it must see the tries that a deadline ended"},
    {"retry", "each of its tries has a deadline of its own and asks the breaker"},
    {"metrics", "a call counts once, however many tries it takes"},
    {"fallback", "it takes over when all others gave up"},
}};

const Place& place(Layer layer) {
  return places.at(static_cast<std::size_t>(layer));
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(Code::invalid_argument, "stack of layers: " + what);
}

void check_pair(Layer inner, Layer outer) {
  const std::string name(place(outer).name);
  if (inner == outer) refuse(name + " is there twice; leave one out");
  if (inner < outer) return;
  const Place& outside = place(inner);
  refuse(std::string(outside.name) + " stands inside " + name + "; call " + name + "() before " +
         std::string(outside.name) + "(), for " + std::string(outside.outside_of_those));
}

}  // namespace

struct Stack::Layers {
  std::unique_ptr<Backend> backend;
  std::vector<Layer> order;
  TryDeadlineOptions deadline;
  BreakerOptions breaker;
  RetryOptions retry;
  std::string role = "primary";
  std::shared_ptr<Metrics> metrics = Metrics::process();
  std::unique_ptr<Backend> journal;
  FallbackOptions fallback;

  void check() const;
  void check_options() const;
  std::unique_ptr<Backend> around(Layer layer, std::unique_ptr<Backend> inner);
};

void Stack::Layers::check() const {
  if (!backend) refuse("there is no backend in it");
  for (std::size_t outer = 0; outer < order.size(); ++outer) {
    for (std::size_t inner = 0; inner < outer; ++inner) check_pair(order[inner], order[outer]);
  }
  const auto has = [&](Layer layer) {
    return std::find(order.begin(), order.end(), layer) != order.end();
  };
  if (!has(Layer::fallback)) return check_options();
  if (!has(Layer::breaker)) {
    refuse("fallback needs a breaker, which tells it when to take over; call breaker() before it");
  }
  if (!journal) refuse("fallback has no journal");
  check_options();
}

void Stack::Layers::check_options() const {
  if (deadline.per_try <= deadline.per_try.zero()) refuse("deadline: per_try must be above 0");
  if (breaker.failures == 0) refuse("breaker: failures must be at least 1");
  if (breaker.open_for <= breaker.open_for.zero() || breaker.longest < breaker.open_for) {
    refuse("breaker: open_for must be above 0 and at most longest");
  }
  if (retry.tries == 0) refuse("retry: tries must be at least 1");
  if (retry.first < retry.first.zero() || retry.longest < retry.longest.zero()) {
    refuse("retry: first and longest must not be negative");
  }
  if (!(retry.budget >= 0)) refuse("retry: budget must not be negative");
}

std::unique_ptr<Backend> Stack::Layers::around(Layer layer, std::unique_ptr<Backend> inner) {
  switch (layer) {
    case Layer::deadline:
      return std::make_unique<TryDeadlineLayer>(std::move(inner), deadline);
    case Layer::breaker:
      return std::make_unique<BreakerLayer>(std::move(inner), breaker, role, metrics);
    case Layer::retry:
      return std::make_unique<RetryLayer>(std::move(inner), retry, role, metrics);
    case Layer::metrics:
      return around_with_metrics(std::move(inner), role, metrics);
    case Layer::fallback:
      return around_with_fallback(std::move(inner), std::move(journal), std::move(fallback));
  }
  return inner;
}

Stack::Stack(std::unique_ptr<Backend> backend) : layers_(std::make_unique<Layers>()) {
  layers_->backend = std::move(backend);
}

Stack::~Stack() = default;
Stack::Stack(Stack&&) noexcept = default;
Stack& Stack::operator=(Stack&&) noexcept = default;

Stack&& Stack::deadline(TryDeadlineOptions options) && {
  layers_->order.push_back(Layer::deadline);
  layers_->deadline = options;
  return std::move(*this);
}

Stack&& Stack::breaker(BreakerOptions options) && {
  layers_->order.push_back(Layer::breaker);
  layers_->breaker = options;
  return std::move(*this);
}

Stack&& Stack::retry(RetryOptions options) && {
  layers_->order.push_back(Layer::retry);
  layers_->retry = options;
  return std::move(*this);
}

Stack&& Stack::metrics(std::string role, std::shared_ptr<Metrics> metrics) && {
  layers_->order.push_back(Layer::metrics);
  layers_->role = std::move(role);
  layers_->metrics = std::move(metrics);
  return std::move(*this);
}

Stack&& Stack::fallback(std::unique_ptr<Backend> journal, FallbackOptions options) && {
  layers_->order.push_back(Layer::fallback);
  layers_->journal = std::move(journal);
  layers_->fallback = std::move(options);
  return std::move(*this);
}

std::unique_ptr<Backend> Stack::build() && {
  layers_->check();
  std::unique_ptr<Backend> built = std::move(layers_->backend);
  for (const Layer layer : layers_->order) built = layers_->around(layer, std::move(built));
  return built;
}

}  // namespace threadkeep
