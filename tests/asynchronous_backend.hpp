// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "threadkeep/backend.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::testing {

/// The asynchronous calls of a store, as a backend: each operation is submitted and waited for.
/// What is known of the blocking calls of a backend can be asked of these.
class AsynchronousBackend final : public Backend {
 public:
  explicit AsynchronousBackend(std::unique_ptr<Backend> backend) : store_(std::move(backend)) {}

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    std::vector<std::future<Outcome>> ends;
    for (const Mutation& mutation : batch) {
      auto write = std::make_unique<Write>();
      ends.push_back(write->promise.get_future());
      store_.submit(mutation, call, std::move(write));
    }
    std::vector<Outcome> outcomes;
    for (auto& end : ends) outcomes.push_back(end.get());
    return outcomes;
  }

  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override {
    return read(query.thread_id, call, [&](Store& s) { return s.get(query, call); });
  }
  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) override {
    return read("", call, [&](Store& s) { return s.list(query, call); });
  }
  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) override {
    return read(query.thread_id, call, [&](Store& s) { return s.history(query, call); });
  }
  Page<ThreadInfo> threads(const ThreadList& query, const Call& call) override {
    return read("", call, [&](Store& s) { return s.threads(query, call); });
  }
  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) override {
    return read(query.thread_id, call, [&](Store& s) { return s.thread(query, call); });
  }
  std::vector<PutWrites> loose_writes(const LooseWritesQuery& query, const Call& call) override {
    return read(query.thread_id, call, [&](Store& s) { return s.loose_writes(query, call); });
  }
  Page<Message> messages(const MessageList& query, const Call& call) override {
    return read(query.thread_id, call, [&](Store& s) { return s.messages(query, call); });
  }
  std::optional<Message> message(const MessageQuery& query, const Call& call) override {
    return read(query.thread_id, call, [&](Store& s) { return s.message(query, call); });
  }
  std::uint64_t count_messages(const MessageList& query, const Call& call) override {
    return read(query.thread_id, call, [&](Store& s) { return s.count_messages(query, call); });
  }
  std::optional<StateDocument> state(const StateQuery& query, const Call& call) override {
    return read(query.scope.thread_id, call, [&](Store& s) { return s.state(query, call); });
  }
  Page<StateDocument> states(const StateList& query, const Call& call) override {
    return read("", call, [&](Store& s) { return s.states(query, call); });
  }
  std::vector<std::string> streams(const ThreadQuery& query, const Call& call) override {
    return read(query.thread_id, call, [&](Store& s) { return s.streams(query, call); });
  }
  std::vector<Finding> examine(const Call& call) override {
    return read("", call, [&](Store& s) { return s.examine(call); });
  }
  StoreStats stats(const StatsQuery& query, const Call& call) override {
    return read("", call, [&](Store& s) { return s.stats(query, call); });
  }
  Health ping(const Call& call) override {
    return read("", call, [&](Store& s) { return s.ping(call); });
  }
  void setup(const Call& call) override {
    read("", call, [&](Store& s) { return s.setup(call), 0; });
  }
  Capabilities capabilities() const override { return store_.capabilities(); }

 private:
  struct Write final : WriteTask {
    void done(Outcome outcome) noexcept override { promise.set_value(std::move(outcome)); }
    std::promise<Outcome> promise;
  };

  template <class Body>
  using ResultOf = std::invoke_result_t<Body, Store&>;

  template <class Body>
  struct Read final : ReadTask {
    explicit Read(Body given) : body(std::move(given)) {}
    void run(Store& store) noexcept override {
      try {
        promise.set_value(body(store));
      } catch (...) {
        promise.set_exception(std::current_exception());
      }
    }
    void refuse(Error error) noexcept override {
      promise.set_exception(std::make_exception_ptr(std::move(error)));
    }
    Body body;
    std::promise<ResultOf<Body>> promise;
  };

  template <class Body>
  ResultOf<Body> read(const std::string& thread_id, const Call& call, Body body) {
    auto task = std::make_unique<Read<Body>>(std::move(body));
    auto end = task->promise.get_future();
    store_.submit(thread_id, call, std::move(task));
    return end.get();
  }

  Store store_;
};

}  // namespace threadkeep::testing
