// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "layers/outage.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/mutation.hpp"

/// \file
/// What the fallback decides, without clock and I/O. A lane is a thread or a named scope. See
/// docs/operation/outages.md.

namespace threadkeep {

/// How much of a lane is here.
enum class Reach {
  unknown,   ///< Nothing: it may be new, or old.
  partial,   ///< The latest checkpoint of namespaces, and what came after it.
  complete,  ///< All of it: it began here.
};

/// What a read needs of a lane.
enum class Need {
  latest,      ///< The latest checkpoint of a namespace.
  checkpoint,  ///< The checkpoint with this id.
  everything,  ///< What only the whole lane can tell: lists, history, messages, state.
  primary,     ///< What only the primary can tell.
};

/// What a write does to a lane.
enum class Change {
  first_put,  ///< A put without parent in the root namespace: its caller took the thread for new.
  put,
  child_put,  ///< A put with a parent.
  writes,
  metadata,
  other,  ///< Its result depends on all of the lane.
};

Change change_of(const Mutation& mutation);

/// The thread or named scope of a mutation; none when it spans threads.
std::optional<StateScope> scope_of(const Mutation& mutation);

struct Situation {
  bool waits = false;          ///< Mutations of the lane wait in the journal.
  bool failed = false;         ///< This call was tried at the primary, which cannot be reached.
  bool takes_unknown = false;  ///< fallback_new=allow
  Reach reach = Reach::unknown;
  bool holds = false;  ///< For reads: the namespace (and the checkpoint) is here.
  /// For reads: the namespace has checkpoints that cannot be read whole here.
  bool is_hollow = false;
};

enum class Route { primary, here, refuse };

Route route_read(Need need, const Situation& situation);
Route route_write(Change change, const Situation& situation);

/// True when a write to a lane of which nothing is here makes it one that is here completely.
bool begins(Change change, bool takes_unknown);

/// True when an error says that the primary cannot be reached, and there is time to go on here.
bool is_outage(const Error& error, const CallTimes& times) noexcept;

/// What becomes of a mutation that was sent from the journal.
enum class Replayed {
  done,
  again_without_demand,  ///< The thread went on elsewhere: both branches are to stay.
  wait,                  ///< The primary cannot take it now.
  set_aside,             ///< It never will.
};

Replayed after_replay(const Outcome& outcome, bool demanded);

/// Namespaces and ids.
using CheckpointKeys = std::set<std::pair<std::string, std::string>>;

/// True when the mutation is of one of these checkpoints, or goes on from one.
bool builds_on(const Mutation& mutation, const CheckpointKeys& checkpoints);

/// What of a lane must not be stored when one of its mutations is not.
class Descent {
 public:
  explicit Descent(const Mutation& first) { add(first); }

  /// To be asked of those that come after it, in their order: what is part of it, others build on.
  bool takes(const Mutation& later);
  const CheckpointKeys& checkpoints() const noexcept { return checkpoints_; }
  bool has_sessions() const noexcept { return has_sessions_; }

 private:
  void add(const Mutation& mutation);

  CheckpointKeys checkpoints_;
  bool has_sessions_ = false;
  bool has_all_ = false;
};

/// The error of a call that can be carried out neither there nor here; `cause` is that of the
/// primary, if it was asked.
Error refusal(std::string_view lane, const Situation& situation, const std::optional<Error>& cause);
/// Likewise for a call that spans threads, while some wait.
Error refusal_of_all(std::uint64_t waiting);

}  // namespace threadkeep
