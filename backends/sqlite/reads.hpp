// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "connection.hpp"
#include "threadkeep/mutation.hpp"
#include "threadkeep/session_model.hpp"
#include "threadkeep/stats.hpp"

/// \file
/// The reads of Backend, each to be called inside one Snapshot.

namespace threadkeep::sqlite {

// reads.cpp
std::optional<CheckpointTuple> get(Connection& connection, const CheckpointQuery& query);
Page<CheckpointTuple> list(Connection& connection, const CheckpointList& query);
Page<ThreadInfo> threads(Connection& connection, const ThreadList& query);
std::vector<PutWrites> loose_writes(Connection& connection, const LooseWritesQuery& query);
std::optional<ThreadInfo> thread(Connection& connection, const ThreadQuery& query);

// stats.cpp
StoreStats stats(Connection& connection, const StatsQuery& query);

// channel_history.cpp
std::vector<ChannelHistory> history(Connection& connection, const HistoryQuery& query);

// session_reads.cpp
Page<Message> messages(Connection& connection, const MessageList& query);
std::vector<std::string> streams(Connection& connection, const ThreadQuery& query);
std::optional<Message> message(Connection& connection, const MessageQuery& query);
std::uint64_t count_messages(Connection& connection, const MessageList& query);
std::optional<StateDocument> state(Connection& connection, const StateQuery& query);
Page<StateDocument> states(Connection& connection, const StateList& query);

}  // namespace threadkeep::sqlite
