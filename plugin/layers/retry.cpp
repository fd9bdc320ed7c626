// SPDX-License-Identifier: Apache-2.0
#include "layers/retry.hpp"

#include <algorithm>
#include <condition_variable>
#include <numeric>
#include <random>
#include <set>

#include "layers/breaker.hpp"
#include "layers/read_back.hpp"

namespace threadkeep {

namespace {

// Retries that may follow each other at once after a quiet time.
constexpr double most_tokens = 10;

constexpr std::string_view looks_done =
    "the store is as this call would leave it, by an earlier try or by another caller; read before "
    "you repeat it";

bool may_have_been_done(const Outcome& outcome) {
  return !outcome.error || outcome.error->code() == Code::outcome_unknown;
}

// What a second try says of the mutation itself; anything else says nothing about the first.
bool is_about_content(const Error& error) {
  const Code code = error.code();
  return code == Code::conflict || code == Code::duplicate || code == Code::invalid_argument;
}

// Keeps the cause, and what it is known by.
Error still_unknown(const Error& last) {
  return Error(Code::outcome_unknown,
               "an earlier try may have been carried out; last: " + last.message(), last.native(),
               last.operation());
}

double random_part() {
  std::random_device device;
  return std::generate_canonical<double, 32>(device);
}

// False when the caller asked to stop.
bool wait_for(std::chrono::nanoseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

RetryPolicy::RetryPolicy(const RetryOptions& options) : options_(options), tokens_(most_tokens) {}

void RetryPolicy::begin() noexcept {
  tokens_ = std::min(most_tokens, tokens_ + options_.budget);
}

bool RetryPolicy::may_retry(const Error& error) noexcept {
  return error.retry_safe() && error.native() != breaker_open;
}

std::optional<std::chrono::nanoseconds> RetryPolicy::next(const Failed& failed,
                                                          double random) noexcept {
  if (!may_retry(failed.error) || failed.tries >= options_.tries || tokens_ < 1) return {};
  auto longest = std::min(options_.first, options_.longest);
  for (unsigned i = 1; i < failed.tries && longest < options_.longest; ++i) {
    longest = std::min(longest * 2, options_.longest);
  }
  const auto wait = std::chrono::duration_cast<std::chrono::nanoseconds>(longest * random);
  if (wait >= failed.left) return {};
  tokens_ -= 1;
  return wait;
}

BatchTries::BatchTries(std::span<const Mutation> batch) : batch_(batch), entries_(batch.size()) {}

bool BatchTries::can_go_again(std::size_t i) const {
  const Entry& entry = entries_[i];
  if (!entry.outcome.error || entry.given_up) return false;
  if (entry.uncertain && !can_be_repeated(batch_[i])) return false;
  return RetryPolicy::may_retry(*entry.outcome.error);
}

// From the last to the first. What spans threads has an empty lane, and its place among all.
std::vector<std::size_t> BatchTries::again() const {
  std::vector<std::size_t> indices;
  std::set<std::string_view> settled;
  for (std::size_t i = batch_.size(); i-- > 0;) {
    const std::string_view own = lane(batch_[i]);
    const bool overtaken =
        settled.contains(own) || settled.contains("") || (own.empty() && !settled.empty());
    if (can_go_again(i) && !overtaken) {
      indices.push_back(i);
    } else if (may_have_been_done(entries_[i].outcome)) {
      settled.insert(own);
    }
  }
  std::reverse(indices.begin(), indices.end());
  return indices;
}

void BatchTries::record(std::span<const std::size_t> sent, std::vector<Outcome> outcomes) {
  for (std::size_t n = 0; n < sent.size(); ++n) {
    Entry& entry = entries_[sent[n]];
    entry.outcome = std::move(outcomes[n]);
    auto& error = entry.outcome.error;
    if (!error) continue;
    if (error->code() == Code::outcome_unknown) {
      entry.uncertain = true;
    } else if (entry.uncertain && !is_about_content(*error)) {
      error = still_unknown(*error);
    }
  }
}

void BatchTries::give_up(std::size_t i, std::string_view why) {
  Entry& entry = entries_[i];
  entry.given_up = true;
  entry.outcome.error = Error(Code::outcome_unknown, why, {}, operation_name(batch_[i]));
}

std::vector<Outcome> BatchTries::take() {
  std::vector<Outcome> outcomes;
  outcomes.reserve(entries_.size());
  for (Entry& entry : entries_) outcomes.push_back(std::move(entry.outcome));
  return outcomes;
}

RetryLayer::RetryLayer(std::unique_ptr<Backend> inner, const RetryOptions& options,
                       const std::string& role, std::shared_ptr<Metrics> metrics)
    : CallLayer(std::move(inner)),
      tries_(options.tries),
      metrics_(std::move(metrics)),
      retries_(metrics_->counter("threadkeep_retries_total", "Calls that were sent again.",
                                 {{"backend", this->inner().capabilities().name}, {"role", role}})),
      policy_(options) {}

void RetryLayer::begin() {
  const std::lock_guard lock(mutex_);
  policy_.begin();
}

bool RetryLayer::pause(const Error& error, unsigned tries, const Call& call) {
  const double random = random_part();
  std::optional<std::chrono::nanoseconds> wait;
  {
    const std::lock_guard lock(mutex_);
    wait = policy_.next({error, tries, call.deadline.left()}, random);
  }
  if (!wait || !wait_for(*wait, call.stop)) return false;
  retries_.add();
  return true;
}

std::vector<Outcome> RetryLayer::apply(std::span<const Mutation> batch, const Call& call) {
  begin();
  BatchTries tries(batch);
  std::vector<std::size_t> sent(batch.size());
  std::iota(sent.begin(), sent.end(), std::size_t{0});
  send(batch, sent, tries, call);
  for (unsigned count = 1;; ++count) {
    sent = tries.again();
    if (sent.empty() || !pause(*tries.outcome(sent.front()).error, count, call)) break;
    if (!look_up(batch, sent, tries, call)) continue;
    sent = tries.again();
    send(batch, sent, tries, call);
    doubt(batch, sent, tries, call);
  }
  return tries.take();
}

std::vector<Finding> RetryLayer::examine(const Call& call) {
  auto findings = inner().examine(call);
  findings.push_back(
      {Finding::Level::good, "retry", "a call has up to " + std::to_string(tries_) + " tries", ""});
  return findings;
}

void RetryLayer::send(std::span<const Mutation> batch, std::span<const std::size_t> indices,
                      BatchTries& tries, const Call& call) {
  if (indices.empty()) return;
  std::vector<Mutation> part;
  if (indices.size() < batch.size()) {
    part.reserve(indices.size());
    for (const std::size_t i : indices) part.push_back(batch[i]);
    batch = part;
  }
  std::vector<Outcome> outcomes;
  try {
    outcomes = inner().apply(batch, call);
  } catch (const Error& error) {
    for (const Mutation& mutation : batch) {
      outcomes.push_back({{}, error.during(operation_name(mutation))});
    }
  }
  if (outcomes.size() != batch.size()) {
    throw Error(Code::internal, "the backend returned a wrong number of outcomes");
  }
  tries.record(indices, std::move(outcomes));
}

// Before a second try: false when the store could not be asked, so that nothing may be sent now.
bool RetryLayer::look_up(std::span<const Mutation> batch, std::span<const std::size_t> indices,
                         BatchTries& tries, const Call& call) {
  for (const std::size_t i : indices) {
    if (!tries.uncertain(i) || !needs_read_back(batch[i])) continue;
    try {
      if (read_back(inner(), batch[i], call) != Trace::none) tries.give_up(i, looks_done);
    } catch (const Error& error) {
      if (RetryPolicy::may_retry(error)) return false;
      tries.give_up(i, "an earlier try may have been carried out; it could not be looked up: " +
                           error.message());
    }
  }
  return true;
}

// The first try may have arrived after the look-up: then the second met it.
void RetryLayer::doubt(std::span<const Mutation> batch, std::span<const std::size_t> sent,
                       BatchTries& tries, const Call& call) {
  for (const std::size_t i : sent) {
    const auto& error = tries.outcome(i).error;
    if (!error || error->code() != Code::conflict) continue;
    if (!tries.uncertain(i) || !needs_read_back(batch[i])) continue;
    try {
      if (read_back(inner(), batch[i], call) == Trace::none) continue;
    } catch (const Error&) {
      // as unclear as before
    }
    tries.give_up(i, looks_done);
  }
}

}  // namespace threadkeep
