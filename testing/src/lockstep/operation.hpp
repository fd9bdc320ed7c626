// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "threadkeep/session_store.hpp"

namespace threadkeep::testing {

/// Moves the clock that the stores see.
struct Tick {
  std::int64_t seconds = 0;
};

/// Mutations sent as one group.
using Group = std::vector<Mutation>;

/// The number of the messages of a list.
struct Count {
  MessageList list;
};

/// One step of a lockstep run. Listings are walked to their end.
using Operation = std::variant<Mutation, Group, CheckpointQuery, CheckpointList, HistoryQuery,
                               ThreadList, Tick, MessageList, Count, TailQuery, MessageQuery,
                               StateQuery, StateList, ThreadQuery, LooseWritesQuery>;

/// The operation in words, for reports.
std::string describe(const Operation& operation);

/// Carries out an operation and puts all that came back into words. Equal words, equal behaviour.
/// A Tick does nothing here: the clock belongs to the run.
std::string carry_out(Store& store, const Operation& operation);

}  // namespace threadkeep::testing
