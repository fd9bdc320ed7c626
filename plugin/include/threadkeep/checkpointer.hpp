// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "threadkeep/store.hpp"

namespace threadkeep {

/// What Checkpointer::prune leaves of a thread.
enum class PruneStrategy {
  keep_latest,  ///< See Prune.
  delete_all,   ///< See DeleteThread.
};

/// What an agent runtime calls: stores checkpoints and pending writes, reads them back, and looks
/// after threads. Every function blocks, throws Error, and honours the deadline of its call (30 s
/// unless told otherwise). Thread-safe; copies share the store.
class Checkpointer {
 public:
  explicit Checkpointer(std::shared_ptr<Store> store);

  Written put(PutCheckpoint checkpoint, const Call& call = {});
  Written put_writes(PutWrites writes, const Call& call = {});
  /// The given or the latest checkpoint; empty when there is none.
  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call = {});
  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call = {});
  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call = {});

  Page<ThreadInfo> threads(const ThreadList& query, const Call& call = {});
  Written put_thread(PutThread thread, const Call& call = {});
  Written delete_thread(std::string thread_id, const Call& call = {});
  Written delete_runs(std::vector<std::string> run_ids, const Call& call = {});
  Written copy_thread(std::string source, std::string target, const Call& call = {});
  /// Each thread is pruned atomically by itself. Throws the first error after all were tried.
  Written prune(std::span<const std::string> thread_ids, PruneStrategy strategy,
                const Call& call = {});

  const std::shared_ptr<Store>& store() const noexcept { return store_; }

 private:
  std::shared_ptr<Store> store_;
};

}  // namespace threadkeep
