// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "threadkeep/backend_support.hpp"
#include "threadkeep/retention/policy.hpp"

/// \file
/// What goes from a thread, decided from facts alone. Every sweeper takes this decision or, inside
/// Postgres, one that tests hold equal to it. Times are microseconds since 1970 UTC; an absent one
/// is unknown, and what is unknown is never old.

namespace threadkeep::retention {

struct CheckpointFacts {
  CheckpointNode node;
  std::optional<std::int64_t> time;
  bool interrupted = false;   ///< Has a pending write to the channel `__interrupt__`.
  bool needs_parent = false;  ///< Of a form (before LangGraph's 4) that reads its parent's writes.
};

struct NamespaceFacts {
  std::string checkpoint_ns;
  std::vector<CheckpointFacts> checkpoints;  ///< In any order.
};

struct ThreadFacts {
  std::string thread_id;
  /// A JSON object: the thread's own metadata and, where that lacks a member, that of the latest
  /// checkpoint of its first namespace.
  std::string metadata = "{}";
  std::optional<std::int64_t> created_at;
  std::optional<std::int64_t> updated_at;
  std::optional<std::int64_t> expires_at;  ///< Set for this thread; takes the place of `idle`.
  bool pinned = false;
  bool held = false;
  std::vector<NamespaceFacts> namespaces;  ///< None of them empty; ordered by name.
};

enum class Reason {
  idle,       ///< Nothing was stored for longer than `idle`, or it began longer ago.
  expired,    ///< Its own expires_at has come.
  age,        ///< The checkpoint is older than `age`.
  keep_last,  ///< There are `keep_last` newer ones.
};

/// "idle", "expired", "age", "keep_last".
std::string_view to_string(Reason reason) noexcept;

/// A checkpoint that goes from a thread that stays.
struct Removal {
  std::string checkpoint_ns;
  std::string checkpoint_id;
  Reason reason = Reason::age;

  friend bool operator==(const Removal&, const Removal&) = default;
};

struct Decision {
  std::string policy;             ///< The first that matches; empty when none does.
  std::optional<Reason> thread;   ///< Set when all of the thread goes.
  std::vector<Removal> removals;  ///< Ordered by namespace and id.
};

/// The first policy that matches decides. A pin or a hold beats everything. In a thread that stays,
/// these checkpoints of a namespace do, whatever their age or number:
/// - the latest;
/// - one with an open interrupt: a pending `__interrupt__`, and no child;
/// - those that a delta channel of one that stays is rebuilt from;
/// - a fork point: the parent of two that stay;
/// - the parent of one that stays, when that needs its parent's writes.
Decision decide(std::span<const Policy> policies, const ThreadFacts& thread, std::int64_t now);

/// The last sign of life of a thread: updated_at, or a latest checkpoint of a namespace that is
/// newer. Without updated_at it is unknown when one of these is.
std::optional<std::int64_t> last_activity(const ThreadFacts& thread);
/// created_at, or the oldest known time of a namespace's first checkpoint.
std::optional<std::int64_t> beginning(const ThreadFacts& thread);

}  // namespace threadkeep::retention
