// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/archived_thread.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::ops {

/// What a store has of an archived thread already.
struct Comparison {
  /// Why the thread cannot be imported; the rest counts only when there is no reason.
  std::optional<std::string> conflict;
  Code code = Code::conflict;        ///< Of it: also `unsupported`.
  bool has_info = false;             ///< The thread is there, with the same metadata.
  std::optional<ThreadInfo> info;    ///< What the store lists of it.
  std::vector<bool> has_checkpoint;  ///< With its blobs; in the order of ArchivedThread.
  std::set<ArchivedThread::WriteKey> has_write;
  std::set<std::string> has_message;  ///< By id; the first ones of each stream.
  std::set<std::string> has_state;    ///< By key.
  bool has_more = false;              ///< The store has parts that the archived thread lacks.

  /// Nothing is left to do.
  bool complete(const ArchivedThread& thread) const;
};

/// Reads everything that the store has of the thread. A conflict is content that differs, and two
/// histories: each side has checkpoints of one namespace, or messages of one stream, that the other
/// lacks. Checkpoints that only the store has and that go on from an end of the archive's history
/// are none, and neither is what only the store has where it lacks nothing. A thread with messages
/// or state cannot go into a store without them.
Comparison compare(Store& store, const ArchivedThread& thread, const Call& call);

}  // namespace threadkeep::ops
