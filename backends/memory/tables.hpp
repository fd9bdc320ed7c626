// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "threadkeep/backend.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::memory {

/// Everything the store keeps, as ordered maps, and each operation on it in its plainest form.
/// A mutation checks first and changes after, so that one that throws has changed nothing.
/// Not thread-safe.
class Tables {
 public:
  explicit Tables(Environment environment) : environment_(std::move(environment)) {}

  // mutations.cpp
  Written apply(const PutCheckpoint& put);
  Written apply(const PutWrites& put);
  Written apply(const PutThread& put);
  Written apply(const DeleteThread& deletion);
  Written apply(const DeleteRuns& deletion);
  Written apply(const CopyThread& copy);
  Written apply(const Prune& prune);

  // reads.cpp
  std::optional<CheckpointTuple> get(const CheckpointQuery& query) const;
  Page<CheckpointTuple> list(const CheckpointList& query) const;
  std::vector<ChannelHistory> history(const HistoryQuery& query) const;
  Page<ThreadInfo> threads(const ThreadList& query) const;

  // stats.cpp
  StoreStats stats(const StatsQuery& query) const;

 private:
  struct Checkpoint {
    std::optional<std::string> parent_checkpoint_id;
    std::string document;
    std::string metadata;
  };
  using WriteKey = std::pair<std::string, std::int32_t>;  // task_id, idx
  using BlobKey = std::pair<std::string, std::string>;    // channel, version
  struct Namespace {
    std::map<std::string, Checkpoint> checkpoints;
    std::map<std::string, std::map<WriteKey, PendingWrite>> writes;  // by checkpoint_id
    std::map<BlobKey, Blob> blobs;
  };
  struct Thread {
    std::optional<ThreadInfo> info;  // absent while there are only pending writes
    std::map<std::string, Namespace> namespaces;
    std::optional<std::string> tombstone;  // outlives everything else
  };

  const Namespace* find(const std::string& thread_id, const std::string& checkpoint_ns) const;
  static const Blob* find_value(const Namespace& ns, const std::string& channel,
                                const std::string& version);
  static std::vector<PendingWrite> writes_of(const Namespace& ns, const std::string& id);
  CheckpointTuple tuple(const std::string& thread_id, const std::string& checkpoint_ns,
                        const Namespace& ns, const std::string& id, Include include) const;

  static bool is_absent(const Thread& thread);
  void check_parent(const Thread& thread, const Namespace& ns, const PutCheckpoint& put) const;
  void touch(const std::string& thread_id, Thread& thread);
  static DeltaDependencies dependencies(const Namespace& ns);
  static std::uint64_t erase(Thread& thread, Namespace& ns, const std::set<std::string>& ids);
  static void collect_blobs(Namespace& ns);

  Environment environment_;
  std::map<std::string, Thread> threads_;
};

}  // namespace threadkeep::memory
