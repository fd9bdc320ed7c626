// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "connection.hpp"
#include "read_statements.hpp"
#include "session_statements.hpp"
#include "threadkeep/model.hpp"
#include "threadkeep/mutation.hpp"
#include "threadkeep/session_model.hpp"

/// \file
/// The reads of Backend on one connection, each one statement and so one snapshot and one round
/// trip; but listing and counting messages by a filter takes two, and more for each 5,000 messages
/// that are looked at.

namespace threadkeep::postgres {

std::optional<CheckpointTuple> get(Connection& connection, const ReadStatements& statements,
                                   const CheckpointQuery& query, const Call& call);
/// The answer of Backend::head.
std::optional<std::string> head(Connection& connection, const ReadStatements& statements,
                                const CheckpointQuery& query, const Call& call);
Page<CheckpointTuple> list(Connection& connection, const ReadStatements& statements,
                           const CheckpointList& query, const Call& call);
std::vector<ChannelHistory> history(Connection& connection, const ReadStatements& statements,
                                    const HistoryQuery& query, const Call& call);
Page<ThreadInfo> threads(Connection& connection, const ReadStatements& statements,
                         const ThreadList& query, const Call& call);
std::optional<ThreadInfo> thread(Connection& connection, const ReadStatements& statements,
                                 const ThreadQuery& query, const Call& call);

// session_reads.cpp
Page<Message> messages(Connection& connection, const SessionStatements& statements,
                       const MessageList& query, const Call& call);
std::optional<Message> message(Connection& connection, const SessionStatements& statements,
                               const MessageQuery& query, const Call& call);
std::vector<std::string> streams(Connection& connection, const SessionStatements& statements,
                                 const ThreadQuery& query, const Call& call);
std::uint64_t count_messages(Connection& connection, const SessionStatements& statements,
                             const MessageList& query, const Call& call);
std::optional<StateDocument> state(Connection& connection, const SessionStatements& statements,
                                   const StateQuery& query, const Call& call);
Page<StateDocument> states(Connection& connection, const SessionStatements& statements,
                           const StateList& query, const Call& call);
std::vector<PutWrites> loose_writes(Connection& connection, const ReadStatements& statements,
                                    const LooseWritesQuery& query, const Call& call);

}  // namespace threadkeep::postgres
