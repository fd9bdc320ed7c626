// SPDX-License-Identifier: Apache-2.0
#include "layers/metrics_layer.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <new>
#include <type_traits>
#include <utility>
#include <variant>

#include "layers/forwarding_backend.hpp"

namespace threadkeep {

namespace {

using Clock = std::chrono::steady_clock;

// Mutations come first, in the order of the variant.
enum Operation : std::size_t {
  first_read = std::variant_size_v<Mutation>,
  op_get = first_read,
  op_head,
  op_list,
  op_history,
  op_threads,
  op_thread,
  op_loose_writes,
  op_messages,
  op_message,
  op_count_messages,
  op_state,
  op_states,
  op_streams,
  op_ping,
  op_examine,
  op_stats,
  op_setup,
  operations
};

constexpr std::array<std::string_view, operations - first_read> read_names{
    "get",          "head",     "list",    "history",        "threads", "thread",
    "loose_writes", "messages", "message", "count_messages", "state",   "states",
    "streams",      "ping",     "examine", "stats",          "setup"};

constexpr std::size_t outcomes = static_cast<std::size_t>(Code::internal) + 2;
constexpr std::size_t ok = 0;

std::size_t outcome_of(Code code) noexcept {
  return static_cast<std::size_t>(code) + 1;
}

std::size_t outcome_of(const Outcome& outcome) noexcept {
  return outcome.error ? outcome_of(outcome.error->code()) : ok;
}

std::string_view outcome_name(std::size_t outcome) noexcept {
  return outcome == ok ? "ok" : to_string(static_cast<Code>(outcome - 1));
}

// Tells `count` how a call ended that threw.
template <class Count, class Function>
auto failing(Count count, Function function) {
  try {
    return function();
  } catch (const Error& error) {
    count(outcome_of(error.code()));
    throw;
  } catch (const std::bad_alloc&) {
    count(outcome_of(Code::unavailable));  // as the callers of a store are told
    throw;
  } catch (...) {
    count(outcome_of(Code::internal));
    throw;
  }
}

// Where calls are counted. A cell is looked up when it is counted in for the first time, so that
// operations which a program never calls and errors that never happen do not fill what is exported;
// after that a call costs one load to find its cell, and takes no lock and no memory.
class Cells {
 public:
  Cells(std::string backend, std::string role, std::shared_ptr<Metrics> metrics)
      : backend_(std::move(backend)), role_(std::move(role)), metrics_(std::move(metrics)) {}

  void count(const Mutation& mutation, std::size_t outcome, Clock::duration time) noexcept {
    record(mutation.index(), operation_name(mutation), outcome, time);
  }

  template <class Function>
  auto timed(Operation operation, Function function) {
    const auto begin = Clock::now();
    const auto count = [&](std::size_t outcome) {
      record(operation, read_names[operation - first_read], outcome, Clock::now() - begin);
    };
    return failing(count, [&] {
      auto result = function();
      // A ping reports an outage and does not throw it.
      if constexpr (std::is_same_v<decltype(result), Health>) {
        count(result.ok ? ok : outcome_of(Code::unavailable));
      } else {
        count(ok);
      }
      return result;
    });
  }

 private:
  void record(std::size_t operation, std::string_view name, std::size_t outcome,
              Clock::duration time) noexcept {
    try {
      counter(operation, name, outcome).add();
      histogram(operation, name).observe(time);
    } catch (...) {  // no memory for a cell: the call itself must not fail for that
      return;
    }
  }

  Counter& counter(std::size_t operation, std::string_view name, std::size_t outcome) {
    std::atomic<Counter*>& cell = counters_[operation][outcome];
    Counter* found = cell.load(std::memory_order_acquire);
    if (!found) {
      found = &metrics_->counter("threadkeep_operations_total", "Calls of a store that ended.",
                                 {{"operation", std::string(name)},
                                  {"backend", backend_},
                                  {"role", role_},
                                  {"outcome", std::string(outcome_name(outcome))}});
      cell.store(found, std::memory_order_release);
    }
    return *found;
  }

  Histogram& histogram(std::size_t operation, std::string_view name) {
    std::atomic<Histogram*>& cell = histograms_[operation];
    Histogram* found = cell.load(std::memory_order_acquire);
    if (!found) {
      found = &metrics_->histogram(
          "threadkeep_operation_seconds", "How long calls of a store took.",
          {{"operation", std::string(name)}, {"backend", backend_}, {"role", role_}});
      cell.store(found, std::memory_order_release);
    }
    return *found;
  }

  std::string backend_;
  std::string role_;
  std::shared_ptr<Metrics> metrics_;
  std::array<std::array<std::atomic<Counter*>, outcomes>, operations> counters_{};
  std::array<std::atomic<Histogram*>, operations> histograms_{};
};

class MetricsLayer final : public ForwardingBackend {
 public:
  MetricsLayer(std::unique_ptr<Backend> inner, std::string role, std::shared_ptr<Metrics> metrics)
      : ForwardingBackend(std::move(inner)),
        cells_(this->inner().capabilities().name, std::move(role), std::move(metrics)) {}

  // Each mutation of a batch ended when the batch did.
  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    const auto begin = Clock::now();
    const auto count_all = [&](std::size_t outcome) {
      const auto time = Clock::now() - begin;
      for (const Mutation& mutation : batch) cells_.count(mutation, outcome, time);
    };
    return failing(count_all, [&] {
      auto ended = inner().apply(batch, call);
      const auto time = Clock::now() - begin;
      for (std::size_t i = 0; i < ended.size() && i < batch.size(); ++i) {
        cells_.count(batch[i], outcome_of(ended[i]), time);
      }
      return ended;
    });
  }

  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override {
    return cells_.timed(op_get, [&] { return inner().get(query, call); });
  }
  std::optional<std::string> head(const CheckpointQuery& query, const Call& call) override {
    return cells_.timed(op_head, [&] { return inner().head(query, call); });
  }
  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) override {
    return cells_.timed(op_list, [&] { return inner().list(query, call); });
  }
  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) override {
    return cells_.timed(op_history, [&] { return inner().history(query, call); });
  }
  Page<ThreadInfo> threads(const ThreadList& query, const Call& call) override {
    return cells_.timed(op_threads, [&] { return inner().threads(query, call); });
  }
  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) override {
    return cells_.timed(op_thread, [&] { return inner().thread(query, call); });
  }
  std::vector<PutWrites> loose_writes(const LooseWritesQuery& query, const Call& call) override {
    return cells_.timed(op_loose_writes, [&] { return inner().loose_writes(query, call); });
  }
  Page<Message> messages(const MessageList& query, const Call& call) override {
    return cells_.timed(op_messages, [&] { return inner().messages(query, call); });
  }
  std::optional<Message> message(const MessageQuery& query, const Call& call) override {
    return cells_.timed(op_message, [&] { return inner().message(query, call); });
  }
  std::uint64_t count_messages(const MessageList& query, const Call& call) override {
    return cells_.timed(op_count_messages, [&] { return inner().count_messages(query, call); });
  }
  std::optional<StateDocument> state(const StateQuery& query, const Call& call) override {
    return cells_.timed(op_state, [&] { return inner().state(query, call); });
  }
  Page<StateDocument> states(const StateList& query, const Call& call) override {
    return cells_.timed(op_states, [&] { return inner().states(query, call); });
  }
  std::vector<std::string> streams(const ThreadQuery& query, const Call& call) override {
    return cells_.timed(op_streams, [&] { return inner().streams(query, call); });
  }
  Health ping(const Call& call) override {
    return cells_.timed(op_ping, [&] { return inner().ping(call); });
  }
  std::vector<Finding> examine(const Call& call) override {
    return cells_.timed(op_examine, [&] { return inner().examine(call); });
  }
  StoreStats stats(const StatsQuery& query, const Call& call) override {
    return cells_.timed(op_stats, [&] { return inner().stats(query, call); });
  }
  void setup(const Call& call) override {
    cells_.timed(op_setup, [&] {
      inner().setup(call);
      return true;
    });
  }

 private:
  Cells cells_;
};

}  // namespace

std::unique_ptr<Backend> around_with_metrics(std::unique_ptr<Backend> inner, std::string role,
                                             std::shared_ptr<Metrics> metrics) {
  return std::make_unique<MetricsLayer>(std::move(inner), std::move(role), std::move(metrics));
}

}  // namespace threadkeep
