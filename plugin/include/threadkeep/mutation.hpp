// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "threadkeep/error.hpp"
#include "threadkeep/model.hpp"
#include "threadkeep/session_model.hpp"

/// \file
/// Every write there is, as one closed type. Layers, batches and journals handle a Mutation without
/// knowing which it is, so nothing can bypass them. Each is idempotent, and atomic in a thread.
///
/// Deletions (DeleteThread, DeleteRuns, Prune) leave a tombstone in the thread: the greatest
/// checkpoint_id they deleted. It keeps a run that was under way from resurrecting what is gone:
/// while a tombstone stands, a put of a new checkpoint whose parent is absent is a `conflict`, and
/// put_writes for an absent checkpoint with an id not above the tombstone stores nothing and counts
/// as dropped.

namespace threadkeep {

/// Stores a checkpoint, the blobs that are new with it, and the thread if it is new. A checkpoint
/// with the same key is replaced (document, metadata, parent); blobs that exist stay.
struct PutCheckpoint {
  std::string thread_id;
  std::string checkpoint_ns;
  std::string checkpoint_id;
  std::optional<std::string> parent_checkpoint_id;
  std::string document;
  std::string metadata = "{}";
  std::vector<Blob> blobs;
  /// Demand that the parent still be the latest checkpoint of its namespace (with no parent: that
  /// there is none), else `conflict`. A checkpoint already stored with equal content succeeds.
  bool require_latest_parent = false;
};

/// Stores pending writes. The checkpoint may come later, or never.
struct PutWrites {
  std::string thread_id;
  std::string checkpoint_ns;
  std::string checkpoint_id;
  std::vector<PendingWrite> writes;
};

/// Sets a thread's own metadata, creating the thread if it is new. Equal metadata changes nothing.
struct PutThread {
  std::string thread_id;
  std::string metadata = "{}";
};

/// Deletes everything of a thread: checkpoints in all namespaces, messages, state.
struct DeleteThread {
  std::string thread_id;
};

/// Deletes the checkpoints whose metadata member `run_id` is one of the given, in all threads, with
/// their writes and the blobs that nothing else refers to. Children stay. When a checkpoint that
/// stays needs a deleted one to rebuild a delta channel, it is a `conflict`: all threads are looked
/// at first, so nothing is deleted then, unless a put comes in between. Each thread is atomic; what
/// fails between two threads is `outcome_unknown`, and the same again deletes the rest.
struct DeleteRuns {
  std::vector<std::string> run_ids;
};

/// Copies all checkpoints, blobs, writes, messages and state of a thread under another id, and its
/// metadata if the target is new; ids and seqs are kept. What the target has already stays. An
/// absent source copies nothing. It is a `conflict` when the target holds checkpoints that the
/// source lacks, and when a target that ever had messages does not hold the source's, no more and
/// no less.
struct CopyThread {
  std::string source_thread_id;
  std::string target_thread_id;
};

/// Deletes all but the latest checkpoint of every namespace of a thread, and the ancestors that it
/// needs to rebuild its delta channels (those that metadata `counters_since_delta_snapshot` names).
/// Blobs that nothing refers to go too, and writes for checkpoints that are neither kept nor newer
/// than the latest: one for a newer checkpoint may be ahead of it.
struct Prune {
  std::string thread_id;
};

/// Appends messages to a stream, all or none, and changes documents of the thread's state with
/// them. Creates the thread if it is new.
///
/// An id that the thread has already is kept when stream, role, content and metadata are equal, and
/// is a `conflict` otherwise. When all are kept, the append was carried out before: nothing
/// changes, state included, whatever the revision is. The same holds for a whole append by
/// operation_id.
struct AppendMessages {
  std::string thread_id;
  std::string stream;
  std::vector<NewMessage> messages;  ///< 1 to max_messages.
  std::vector<StateChange> state;    ///< Of the thread; a conflict of one fails the append.
  /// Names this append within the thread, "" if nothing does. A second one with the same name
  /// changes nothing and returns what the first did; with another stream, text or state (ids do not
  /// count, for the store may have made them) it is a `conflict`. Remembered for at least
  /// operation_memory revisions of the thread, in one name space with PopMessages. What changed
  /// nothing is not remembered.
  std::string operation_id;
  /// Demand that the thread be at this revision (0: nothing counted yet), else `conflict`.
  std::optional<std::int64_t> expected_revision;
};

/// Replaces parts of a message; its version grows by one. Equal parts change nothing. An absent
/// message counts as dropped.
struct UpdateMessage {
  std::string thread_id;
  std::string id;
  std::optional<std::string> content;
  std::optional<std::string> metadata;
  /// Demand this version, else `conflict`, also when the message is absent.
  std::optional<std::int64_t> expected_version;
};

/// Removes messages by their ids. Absent ones are no error.
struct RemoveMessages {
  std::string thread_id;
  std::vector<std::string> ids;  ///< At most max_messages.
};

/// Removes the newest messages of a stream and returns them in Written::messages, in order. No two
/// pops get one message. Fewer come when the stream has fewer, or when one more would take their
/// weight above max_pop_bytes; a single message always comes.
struct PopMessages {
  std::string thread_id;
  std::string stream;
  std::size_t count = 1;  ///< At most max_messages.
  /// As in AppendMessages. Store makes one when there is none, so that no pop is done twice.
  std::string operation_id;
};

/// Removes all messages of a stream, or of all streams of the thread.
struct ClearMessages {
  std::string thread_id;
  std::optional<std::string> stream;
};

/// Changes documents of one scope, all or none. Creates the thread if its state gets a document.
struct ChangeState {
  StateScope scope;
  std::vector<StateChange> changes;
};

using Mutation = std::variant<PutCheckpoint, PutWrites, PutThread, DeleteThread, DeleteRuns,
                              CopyThread, Prune, AppendMessages, UpdateMessage, RemoveMessages,
                              PopMessages, ClearMessages, ChangeState>;

/// What a mutation did. For puts and appends: rows (checkpoints, blobs, writes, messages, state
/// documents). For deletions and copies: checkpoints, messages and state documents.
struct Written {
  std::uint64_t changed = 0;  ///< Stored, replaced, deleted or copied.
  std::uint64_t kept = 0;     ///< Were there already and stay as they are.
  std::uint64_t dropped = 0;  ///< Not stored because their checkpoint or message was deleted.
  /// The messages that were appended, kept or updated, in the order given, without role, content
  /// and metadata; and those that were popped, whole.
  std::vector<Message> messages = {};
  /// The version of each state document that was to change, in the order given; 0: it is absent.
  std::vector<std::int64_t> versions = {};
  /// Of the thread, after a mutation of messages or state; else 0.
  std::int64_t revision = 0;

  friend bool operator==(const Written&, const Written&) = default;
};

/// The end of one mutation of a batch: an error, or what was done.
struct Outcome {
  Written written;
  std::optional<Error> error;
};

/// "put", "put_writes", ...: the name of the operation for messages and metrics.
std::string_view operation_name(const Mutation& mutation) noexcept;

/// True for what only stores with Capabilities::sessions carry out: messages and state.
bool is_session(const Mutation& mutation) noexcept;

/// The thread (or named scope) whose order of calls the mutation belongs to; empty when it spans
/// threads.
std::string_view lane(const Mutation& mutation) noexcept;

/// Payload and JSON bytes, for bounding queues and batches.
std::size_t weight(const Mutation& mutation) noexcept;

}  // namespace threadkeep
