// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "connection.hpp"
#include "read_statements.hpp"
#include "threadkeep/mutation.hpp"

/// \file
/// The reads of Backend on one connection, each one statement and so one snapshot and one round
/// trip.

namespace threadkeep::postgres {

std::optional<CheckpointTuple> get(Connection& connection, const ReadStatements& statements,
                                   const CheckpointQuery& query, const Call& call);
Page<CheckpointTuple> list(Connection& connection, const ReadStatements& statements,
                           const CheckpointList& query, const Call& call);
std::vector<ChannelHistory> history(Connection& connection, const ReadStatements& statements,
                                    const HistoryQuery& query, const Call& call);
Page<ThreadInfo> threads(Connection& connection, const ReadStatements& statements,
                         const ThreadList& query, const Call& call);
std::vector<PutWrites> loose_writes(Connection& connection, const ReadStatements& statements,
                                    const LooseWritesQuery& query, const Call& call);

}  // namespace threadkeep::postgres
