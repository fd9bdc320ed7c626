// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "threadkeep/error.hpp"
#include "threadkeep/model.hpp"

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

/// Deletes everything of a thread, in all namespaces.
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

/// Copies all checkpoints, blobs and writes of a thread under another id, and its metadata if the
/// target is new; checkpoint ids are kept. A target that holds checkpoints which the source lacks
/// is a `conflict`. What the target has already stays. An absent source copies nothing.
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

using Mutation =
    std::variant<PutCheckpoint, PutWrites, PutThread, DeleteThread, DeleteRuns, CopyThread, Prune>;

/// What a mutation did. For puts: rows (checkpoints, blobs, writes). For deletions and copies:
/// checkpoints.
struct Written {
  std::uint64_t changed = 0;  ///< Stored, replaced, deleted or copied.
  std::uint64_t kept = 0;     ///< Were there already and stay as they are.
  std::uint64_t dropped = 0;  ///< Not stored because their checkpoint was deleted.

  friend bool operator==(const Written&, const Written&) = default;
};

/// The end of one mutation of a batch: an error, or what was done.
struct Outcome {
  Written written;
  std::optional<Error> error;
};

/// "put", "put_writes", ...: the name of the operation for messages and metrics.
std::string_view operation_name(const Mutation& mutation) noexcept;

/// The thread whose order of calls the mutation belongs to; empty when it spans threads.
std::string_view lane(const Mutation& mutation) noexcept;

/// Payload and JSON bytes, for bounding queues and batches.
std::size_t weight(const Mutation& mutation) noexcept;

}  // namespace threadkeep
