// SPDX-License-Identifier: Apache-2.0
#include "async_access.hpp"

#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <exception>
#include <future>
#include <thread>
#include <utility>

#include "threadkeep/async.hpp"

namespace threadkeep::testing {

namespace {

class AsyncAccess final : public Access {
 public:
  explicit AsyncAccess(std::shared_ptr<Store> store)
      : checkpointer_(store, io_.get_executor()),
        sessions_(std::move(store), io_.get_executor()),
        thread_([this] { io_.run(); }) {}

  ~AsyncAccess() override {
    work_.reset();
    thread_.join();
  }

  Written write(Mutation mutation, const Call& call) override {
    return std::visit([&](auto& m) { return send(std::move(m), call); }, mutation).get();
  }
  Written prune(std::span<const std::string> thread_ids, PruneStrategy strategy,
                const Call& call) override {
    std::vector<std::future<Written>> futures;
    for (const auto& id : thread_ids) {
      futures.push_back(checkpointer_.prune(id, strategy, call, asio::use_future));
    }
    return sum(futures);
  }
  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override {
    return checkpointer_.get(query, call, asio::use_future).get();
  }
  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) override {
    return checkpointer_.list(query, call, asio::use_future).get();
  }
  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) override {
    return checkpointer_.history(query, call, asio::use_future).get();
  }
  Page<ThreadInfo> threads(const ThreadList& query, const Call& call) override {
    return checkpointer_.threads(query, call, asio::use_future).get();
  }

  Page<Message> messages(const MessageList& query, const Call& call) override {
    return sessions_.messages(query, call, asio::use_future).get();
  }
  std::vector<Message> tail(const TailQuery& query, const Call& call) override {
    return sessions_.tail(query, call, asio::use_future).get();
  }
  std::optional<Message> message(const MessageQuery& query, const Call& call) override {
    return sessions_.message(query, call, asio::use_future).get();
  }
  std::uint64_t count(const MessageList& query, const Call& call) override {
    return sessions_.count(query, call, asio::use_future).get();
  }
  std::optional<StateDocument> state(const StateQuery& query, const Call& call) override {
    return sessions_.state(query, call, asio::use_future).get();
  }
  Page<StateDocument> states(const StateList& query, const Call& call) override {
    return sessions_.states(query, call, asio::use_future).get();
  }
  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) override {
    return sessions_.thread(query, call, asio::use_future).get();
  }

 private:
  using Future = std::future<Written>;

  Future send(PutCheckpoint m, const Call& call) {
    return checkpointer_.put(std::move(m), call, asio::use_future);
  }
  Future send(PutWrites m, const Call& call) {
    return checkpointer_.put_writes(std::move(m), call, asio::use_future);
  }
  Future send(PutThread m, const Call& call) {
    return checkpointer_.put_thread(std::move(m), call, asio::use_future);
  }
  Future send(DeleteThread m, const Call& call) {
    return checkpointer_.delete_thread(std::move(m.thread_id), call, asio::use_future);
  }
  Future send(DeleteRuns m, const Call& call) {
    return checkpointer_.delete_runs(std::move(m.run_ids), call, asio::use_future);
  }
  Future send(CopyThread m, const Call& call) {
    return checkpointer_.copy_thread(std::move(m.source_thread_id), std::move(m.target_thread_id),
                                     call, asio::use_future);
  }
  Future send(Prune m, const Call& call) {
    return checkpointer_.prune(std::move(m.thread_id), PruneStrategy::keep_latest, call,
                               asio::use_future);
  }

  Future send(AppendMessages m, const Call& call) {
    return sessions_.append(std::move(m), call, asio::use_future);
  }
  Future send(UpdateMessage m, const Call& call) {
    return sessions_.update(std::move(m), call, asio::use_future);
  }
  Future send(RemoveMessages m, const Call& call) {
    return sessions_.remove(std::move(m), call, asio::use_future);
  }
  Future send(PopMessages m, const Call& call) {
    return sessions_.pop(std::move(m), call, asio::use_future);
  }
  Future send(ClearMessages m, const Call& call) {
    return sessions_.clear(std::move(m), call, asio::use_future);
  }
  Future send(ChangeState m, const Call& call) {
    return sessions_.change_state(std::move(m), call, asio::use_future);
  }

  static Written sum(std::vector<Future>& futures) {
    Written total;
    std::exception_ptr first;
    for (auto& future : futures) {
      try {
        const auto written = future.get();
        total.changed += written.changed;
        total.kept += written.kept;
        total.dropped += written.dropped;
      } catch (...) {
        if (!first) first = std::current_exception();
      }
    }
    if (first) std::rethrow_exception(first);
    return total;
  }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  AsyncCheckpointer<asio::io_context::executor_type> checkpointer_;
  AsyncSessionStore<asio::io_context::executor_type> sessions_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Access> make_async_access(std::shared_ptr<Store> store) {
  return std::make_unique<AsyncAccess>(std::move(store));
}

}  // namespace threadkeep::testing
