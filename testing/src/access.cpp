// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/access.hpp"

#include <utility>

#include "async_access.hpp"

namespace threadkeep::testing {

namespace {

class SyncAccess final : public Access {
 public:
  explicit SyncAccess(std::shared_ptr<Store> store)
      : checkpointer_(store), sessions_(std::move(store)) {}

  Written write(Mutation mutation, const Call& call) override {
    return std::visit([&](auto& m) { return send(std::move(m), call); }, mutation);
  }
  Written prune(std::span<const std::string> thread_ids, PruneStrategy strategy,
                const Call& call) override {
    return checkpointer_.prune(thread_ids, strategy, call);
  }
  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override {
    return checkpointer_.get(query, call);
  }
  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) override {
    return checkpointer_.list(query, call);
  }
  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) override {
    return checkpointer_.history(query, call);
  }
  Page<ThreadInfo> threads(const ThreadList& query, const Call& call) override {
    return checkpointer_.threads(query, call);
  }

  Page<Message> messages(const MessageList& query, const Call& call) override {
    return sessions_.messages(query, call);
  }
  std::vector<Message> tail(const TailQuery& query, const Call& call) override {
    return sessions_.tail(query, call);
  }
  std::optional<Message> message(const MessageQuery& query, const Call& call) override {
    return sessions_.message(query, call);
  }
  std::uint64_t count(const MessageList& query, const Call& call) override {
    return sessions_.count(query, call);
  }
  std::optional<StateDocument> state(const StateQuery& query, const Call& call) override {
    return sessions_.state(query, call);
  }
  Page<StateDocument> states(const StateList& query, const Call& call) override {
    return sessions_.states(query, call);
  }
  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) override {
    return sessions_.thread(query, call);
  }

 private:
  Written send(PutCheckpoint m, const Call& call) { return checkpointer_.put(std::move(m), call); }
  Written send(PutWrites m, const Call& call) {
    return checkpointer_.put_writes(std::move(m), call);
  }
  Written send(PutThread m, const Call& call) {
    return checkpointer_.put_thread(std::move(m), call);
  }
  Written send(DeleteThread m, const Call& call) {
    return checkpointer_.delete_thread(std::move(m.thread_id), call);
  }
  Written send(DeleteRuns m, const Call& call) {
    return checkpointer_.delete_runs(std::move(m.run_ids), call);
  }
  Written send(CopyThread m, const Call& call) {
    return checkpointer_.copy_thread(std::move(m.source_thread_id), std::move(m.target_thread_id),
                                     call);
  }
  Written send(Prune m, const Call& call) {
    return checkpointer_.prune({&m.thread_id, 1}, PruneStrategy::keep_latest, call);
  }

  Written send(AppendMessages m, const Call& call) { return sessions_.append(std::move(m), call); }
  Written send(UpdateMessage m, const Call& call) { return sessions_.update(std::move(m), call); }
  Written send(RemoveMessages m, const Call& call) { return sessions_.remove(std::move(m), call); }
  Written send(PopMessages m, const Call& call) { return sessions_.pop(std::move(m), call); }
  Written send(ClearMessages m, const Call& call) { return sessions_.clear(std::move(m), call); }
  Written send(ChangeState m, const Call& call) {
    return sessions_.change_state(std::move(m), call);
  }

  Checkpointer checkpointer_;
  SessionStore sessions_;
};

}  // namespace

std::string to_string(AccessKind kind) {
  return kind == AccessKind::sync ? "sync" : "async";
}

std::unique_ptr<Access> make_access(AccessKind kind, std::shared_ptr<Store> store) {
  if (kind == AccessKind::async) return make_async_access(std::move(store));
  return std::make_unique<SyncAccess>(std::move(store));
}

}  // namespace threadkeep::testing
