// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "threadkeep/call.hpp"
#include "threadkeep/model.hpp"

/// \file
/// What a store gives to retention that runs in the program: rows to judge, their removal, and
/// places for what retention writes down. What goes is decided above. Times are microseconds since
/// 1970 UTC. See docs/operation/retention.md.

namespace threadkeep {
class TransferHost;  // threadkeep/transfer_host.hpp
}

namespace threadkeep::retention {

/// What a sweep has done so far.
struct Swept {
  std::uint64_t threads = 0;  ///< From which something went.
  std::uint64_t checkpoints = 0;
  std::uint64_t writes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t busy = 0;        ///< Threads passed over because somebody wrote to them.
  std::uint64_t collected = 0;   ///< Blobs of earlier sweeps, whose grace was over.
  std::uint64_t tombstones = 0;  ///< That were older than they are kept.
  std::uint64_t notes = 0;       ///< Likewise entries of the audit, and runs.

  friend bool operator==(const Swept&, const Swept&) = default;
};

/// A sweep of the past, or one that is under way.
struct Run {
  std::int64_t run = 0;
  std::string kind;   ///< "sweep" or "langgraph_cleanup_old_data".
  std::string state;  ///< "running", "done", "paused", "failed" or "died".
  std::string who;
  std::int64_t started_at = 0;
  std::optional<std::int64_t> finished_at;
  std::string error;
  Swept swept;
};

/// Something that was deleted, or an order of somebody.
struct AuditEntry {
  std::int64_t id = 0;
  std::int64_t at = 0;
  std::string who;
  std::string action;  ///< "sweep", "apply", "pin", "unpin", "hold", "release", "expire", ...
  std::string policy;
  std::string reason;  ///< Of a hold its name.
  std::string thread_id;
  std::int64_t run = 0;  ///< 0 for what was no sweep.
  std::uint64_t threads = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t writes = 0;
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;
};

/// Threads that should expire by themselves.
struct ExpiryReport {
  bool expected = false;         ///< The store is opened so that its threads expire.
  std::uint64_t threads = 0;     ///< That are there.
  std::uint64_t without = 0;     ///< Which have no deadline, and no pin and no hold.
  std::vector<std::string> ids;  ///< The first of these, 100 at most.
};

/// A run as its store keeps it.
struct RunRecord : Run {
  std::int64_t alive_until = 0;  ///< Without a word until then it counts as dead.
  std::string after;             ///< The last thread that it has looked at.
};

struct CheckpointRow {
  std::string checkpoint_ns;
  std::string checkpoint_id;
  std::optional<std::string> parent_checkpoint_id;
  std::string document;
  std::string metadata;
};

struct WriteRow {
  std::string checkpoint_ns;
  std::string checkpoint_id;  ///< Of a checkpoint that may be absent.
  std::string channel;
  std::uint64_t bytes = 0;
  /// Type and value of a special write (idx below 0), which a later one may replace; of others
  /// anything that stays the same.
  std::string special = {};
};

struct BlobRow {
  std::string checkpoint_ns;
  std::string channel;
  std::string version;
  std::uint64_t bytes = 0;
  bool has_value = false;
};

/// A thread and what was ordered about it.
struct ThreadRows {
  std::optional<ThreadInfo> info;  ///< Absent: there is no such thread.
  bool pinned = false;
  bool held = false;
  std::optional<std::int64_t> expires_at;
  std::vector<CheckpointRow> checkpoints;  ///< Ordered by namespace and id.
  std::vector<WriteRow> writes;
  std::vector<BlobRow> blobs;
  /// The store's own: by this it knows whether the thread is still as these rows are.
  std::string seen;
};

/// As much of a thread as tells whether all of it goes, at a price that does not grow with it.
struct ThreadGlance {
  /// Of each namespace the first and the latest checkpoint; without writes and blobs.
  ThreadRows edges;
  std::size_t longest = 0;  ///< The checkpoints of the namespace that has most.
};

/// What tells at a small price whether threads have to be renewed.
struct Activity {
  int version = 0;       ///< As Transaction::version().
  std::string policies;  ///< As Transaction::policies().
  /// When something was stored in each thread for the last time; absent where there is none.
  std::vector<std::optional<std::int64_t>> updated_at;
};

/// Ids of checkpoints.
using CheckpointsByNamespace = std::map<std::string, std::vector<std::string>>;

/// What can be done inside one transaction of a Host. Errors are Backend's.
class Transaction {
 public:
  virtual ~Transaction() = default;

  /// By the clock of the store's environment.
  virtual std::int64_t now() const = 0;

  /// Which version of retention is installed; 0 for none. All below needs one.
  virtual int version() = 0;
  /// Makes what is missing to keep all below, and notes the version.
  virtual void install(int version) = 0;

  /// The next threads after an id ("" begins), ordered bytewise.
  virtual std::vector<std::string> threads_after(const std::string& after, std::size_t limit) = 0;
  virtual ThreadGlance glance(const std::string& thread_id) = 0;
  /// In one round trip, also where nothing is installed.
  virtual Activity activity(const std::vector<std::string>& thread_ids) = 0;
  /// As if something had been stored in the thread now, if it is there.
  virtual void renew(const std::string& thread_id) = 0;
  virtual ThreadRows load(const std::string& thread_id) = 0;
  /// As DeleteThread does, and takes its time away. Pins and holds stay. Here as below, `judged` is
  /// what load() gave in this transaction. False, and nothing was done: somebody has changed the
  /// thread since, or its pins, holds and time; or a later run or apply has begun.
  virtual bool erase_thread(const ThreadRows& judged) = 0;
  /// Takes checkpoints with their writes, and the blobs of their namespaces that nothing names
  /// then. Raises the tombstone.
  virtual bool erase_checkpoints(const ThreadRows& judged, const CheckpointsByNamespace& gone) = 0;

  /// "[]" before the first time.
  virtual std::string policies() = 0;
  /// With `archive_required` nothing may go but by a sweep, so threads do not expire by themselves.
  /// False, to try again: others have changed the policies since they were `seen`, or a run began.
  virtual bool set_policies(const std::string& seen, const std::string& policies,
                            bool archive_required) = 0;

  /// `kind` is "pin" or "hold". False when it was so already.
  virtual bool mark(const std::string& thread_id, const std::string& kind, const std::string& name,
                    bool set) = 0;
  /// An absent time takes away what was set.
  virtual void expire(const std::string& thread_id, std::optional<std::int64_t> at) = 0;

  /// The newest first.
  virtual std::vector<RunRecord> runs(std::size_t limit) = 0;
  /// Stores a new run after that one, the newest (0 where there is none); its number, which is
  /// greater than all before. 0: another has begun since.
  virtual std::int64_t add_run(const RunRecord& run, std::int64_t newest) = 0;
  /// Of a run that is "running". False: it is so no longer.
  virtual bool change_run(const RunRecord& run) = 0;

  /// The newest first, all older than `before`; 0 begins.
  virtual std::vector<AuditEntry> audit(std::int64_t before, std::size_t limit) = 0;
  /// Stores an entry under a new number.
  virtual void add_audit(const AuditEntry& entry) = 0;

  /// To be called before something goes, with what may go. A store that does not carry out its
  /// changes as a whole stores that at once in the audit and gives its number, so that also a
  /// sweeper that is killed leaves a trace; others do nothing, which is 0.
  virtual std::int64_t announce(const AuditEntry&) { return 0; }
  /// All that went has been noted: takes the entry away.
  virtual void settle(std::int64_t) {}

  /// Tombstones of threads from which something was deleted before that time for the last time.
  virtual std::uint64_t count_tombstones(std::int64_t before) = 0;
  /// Takes some of these away, at most `limit`; how many. 0: there are none.
  virtual std::uint64_t purge_tombstones(std::int64_t before, std::size_t limit) = 0;
  /// Entries of the audit from before that time, and runs that were over by then; counted and taken
  /// from the oldest up to the first that stays.
  virtual std::uint64_t count_notes(std::int64_t before) = 0;
  virtual std::uint64_t purge_notes(std::int64_t before, std::size_t limit) = 0;
};

/// A store that lets retention work on it. Thread-safe; errors are Backend's.
class Host {
 public:
  using Work = std::function<void(Transaction&)>;

  virtual ~Host() = default;
  Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Runs `work`, which must change nothing, on one snapshot, or where there is none on one of each
  /// thread.
  virtual void read(const Work& work, const Call& call) = 0;
  /// Runs `work`, whose changes are stored as a whole and undone when it throws (not undone in
  /// memory), while nobody else writes to the store. A store that has no such transactions carries
  /// out each change by itself, and refuses those that were decided on what has changed since.
  virtual void write(const Work& work, const Call& call) = 0;
  /// Gives a bounded part of the room of what was deleted back to the system; true when there is
  /// more.
  virtual bool give_back(const Call& call) = 0;
  /// Looks at all threads, where threads may expire without a sweep.
  virtual ExpiryReport expiry(const Call&) { return {}; }
  /// What a copy of the whole store needs beside; null where a store has none. Owned by the store.
  virtual TransferHost* transfer() { return nullptr; }
};

}  // namespace threadkeep::retention
