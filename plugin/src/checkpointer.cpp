// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/checkpointer.hpp"

namespace threadkeep {

Checkpointer::Checkpointer(std::shared_ptr<Store> store) : store_(std::move(store)) {}

Written Checkpointer::put(PutCheckpoint checkpoint, const Call& call) {
  return store_->write(std::move(checkpoint), call);
}

Written Checkpointer::put_writes(PutWrites writes, const Call& call) {
  return store_->write(std::move(writes), call);
}

std::optional<CheckpointTuple> Checkpointer::get(const CheckpointQuery& query, const Call& call) {
  return store_->get(query, call);
}

Page<CheckpointTuple> Checkpointer::list(const CheckpointList& query, const Call& call) {
  return store_->list(query, call);
}

std::vector<ChannelHistory> Checkpointer::history(const HistoryQuery& query, const Call& call) {
  return store_->history(query, call);
}

Page<ThreadInfo> Checkpointer::threads(const ThreadList& query, const Call& call) {
  return store_->threads(query, call);
}

Written Checkpointer::put_thread(PutThread thread, const Call& call) {
  return store_->write(std::move(thread), call);
}

Written Checkpointer::delete_thread(std::string thread_id, const Call& call) {
  return store_->write(DeleteThread{std::move(thread_id)}, call);
}

Written Checkpointer::delete_runs(std::vector<std::string> run_ids, const Call& call) {
  return store_->write(DeleteRuns{std::move(run_ids)}, call);
}

Written Checkpointer::copy_thread(std::string source, std::string target, const Call& call) {
  return store_->write(CopyThread{std::move(source), std::move(target)}, call);
}

Written Checkpointer::prune(std::span<const std::string> thread_ids, PruneStrategy strategy,
                            const Call& call) {
  std::vector<Mutation> mutations;
  for (const std::string& thread_id : thread_ids) {
    if (strategy == PruneStrategy::delete_all) {
      mutations.emplace_back(DeleteThread{thread_id});
    } else {
      mutations.emplace_back(Prune{thread_id});
    }
  }
  Written total;
  const auto outcomes = store_->write_all(std::move(mutations), call);
  for (const Outcome& outcome : outcomes) {
    if (outcome.error) throw *outcome.error;
    total.changed += outcome.written.changed;
    total.kept += outcome.written.kept;
    total.dropped += outcome.written.dropped;
  }
  return total;
}

}  // namespace threadkeep
