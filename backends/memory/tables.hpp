// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "fork_locks.hpp"
#include "threadkeep/backend.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/retention_host.hpp"
#include "threadkeep/session_support.hpp"
#include "threadkeep/transfer_host.hpp"

namespace threadkeep::memory {

/// Guards the tables of a store.
using TableMutex = OwnProcess<std::shared_mutex>;

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

  // session_mutations.cpp
  Written apply(const AppendMessages& append);
  Written apply(const UpdateMessage& update);
  Written apply(const RemoveMessages& removal);
  Written apply(const PopMessages& pop);
  Written apply(const ClearMessages& clear);
  Written apply(const ChangeState& change);

  // reads.cpp
  std::optional<CheckpointTuple> get(const CheckpointQuery& query) const;
  Page<CheckpointTuple> list(const CheckpointList& query) const;
  std::vector<ChannelHistory> history(const HistoryQuery& query) const;
  Page<ThreadInfo> threads(const ThreadList& query) const;
  std::vector<PutWrites> loose_writes(const LooseWritesQuery& query) const;
  std::optional<ThreadInfo> thread(const ThreadQuery& query) const;

  // session_reads.cpp
  Page<Message> messages(const MessageList& query) const;
  std::optional<Message> message(const MessageQuery& query) const;
  std::vector<std::string> streams(const ThreadQuery& query) const;
  std::uint64_t count_messages(const MessageList& query) const;
  std::optional<StateDocument> state(const StateQuery& query) const;
  Page<StateDocument> states(const StateList& query) const;

  // retention.cpp
  std::vector<std::string> threads_after(const std::string& after, std::size_t limit) const;
  /// Without what was ordered about the thread.
  retention::ThreadRows rows_of(const std::string& thread_id) const;
  /// Likewise.
  retention::ThreadGlance glance(const std::string& thread_id) const;
  void erase_checkpoints(const std::string& thread_id, const std::string& checkpoint_ns,
                         const std::vector<std::string>& ids);
  std::int64_t now() const { return environment_.now(); }
  void renew(const std::string& thread_id);
  std::uint64_t count_tombstones(std::int64_t before) const;
  std::uint64_t purge_tombstones(std::int64_t before, std::size_t limit);

  // transfer.cpp
  /// Threads without info of which something is there.
  std::set<std::string> unlisted() const;
  /// Names that have documents, in order.
  std::vector<std::string> scopes() const;
  std::optional<std::string> tombstone(const std::string& thread_id) const;
  void apply(const ThreadNotesChange& change);

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
  struct Stream {
    std::int64_t last_seq = 0;
    std::map<std::int64_t, Message> messages;
  };
  using Place = std::pair<std::string, std::int64_t>;  // stream, seq
  using Documents = std::map<std::string, StateDocument>;
  struct Operation {
    std::uint64_t fingerprint;
    Written written;
  };
  struct Thread {
    std::optional<ThreadInfo> info;  // absent while there are only pending writes
    std::map<std::string, Namespace> namespaces;
    std::map<std::string, Stream> streams;
    std::map<std::string, Place> places;  // of messages, by id
    Documents state;
    std::map<std::string, Operation> operations;  // by operation_id
    std::optional<std::string> tombstone;         // outlives everything else
    std::int64_t deleted_at = 0;                  // of the tombstone
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
  std::uint64_t erase(Thread& thread, Namespace& ns, const std::set<std::string>& ids) const;
  /// Something was deleted now.
  void raise_tombstone(Thread& thread, const std::string& checkpoint_id) const;
  static void collect_blobs(Namespace& ns);

  static std::int64_t revision_of(const Thread& thread);
  void bump(const std::string& thread_id, Thread& thread, Written& written);
  static const Message* find(const Thread& thread, const std::string& id);
  static void erase(Thread& thread, const Place& place);
  static const Written* find_done(const Thread& thread, const std::string& operation_id,
                                  std::uint64_t fingerprint);
  static void remember(Thread& thread, const std::string& operation_id, std::uint64_t fingerprint,
                       const Written& written);
  static std::vector<const NewMessage*> find_new(const Thread& thread,
                                                 const AppendMessages& append);
  void store(Thread& thread, const std::string& stream, const NewMessage& message);
  static void check_copy(const Thread& source, const Thread& target, const std::string& target_id);
  static void copy_messages(const Thread& source, Thread& target, Written& written);
  static void copy_state(const Thread& source, Thread& target, Written& written);
  const Thread* find_thread(const std::string& thread_id) const;
  const Stream* find_stream(const MessageList& query) const;
  const Documents* find_documents(const StateScope& scope) const;

  Environment environment_;
  std::map<std::string, Thread> threads_;
  std::map<std::string, Documents> scopes_;  // named ones
};

}  // namespace threadkeep::memory
