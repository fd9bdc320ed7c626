// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/access.hpp"

#include <utility>

#include "async_access.hpp"

namespace threadkeep::testing {

namespace {

class SyncAccess final : public Access {
 public:
  explicit SyncAccess(std::shared_ptr<Store> store) : checkpointer_(std::move(store)) {}

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

  Checkpointer checkpointer_;
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
