// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "connection.hpp"
#include "threadkeep/model.hpp"
#include "threadkeep/stats.hpp"

/// \file
/// The reads of Backend, each to be called inside one Snapshot.

namespace threadkeep::sqlite {

// reads.cpp
std::optional<CheckpointTuple> get(Connection& connection, const CheckpointQuery& query);
Page<CheckpointTuple> list(Connection& connection, const CheckpointList& query);
Page<ThreadInfo> threads(Connection& connection, const ThreadList& query);

// stats.cpp
StoreStats stats(Connection& connection, const StatsQuery& query);

// channel_history.cpp
std::vector<ChannelHistory> history(Connection& connection, const HistoryQuery& query);

}  // namespace threadkeep::sqlite
