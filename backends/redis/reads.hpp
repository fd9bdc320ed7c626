// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "connection.hpp"
#include "settings.hpp"
#include "threadkeep/model.hpp"
#include "threadkeep/mutation.hpp"
#include "threadkeep/session_model.hpp"

/// \file
/// The reads of Backend on one connection.

namespace threadkeep::redis {

/// What reads need of their surroundings.
struct Reader {
  Connection& connection;
  const Settings& settings;
  const Call& call;
};

/// Each checkpoint as it was at one moment; one whose id is absent is the latest. Only the first
/// ones, at least one, where large values add up to more than `max_bytes`.
std::vector<std::optional<CheckpointTuple>> read_checkpoints(
    const Reader& reader, const std::vector<CheckpointQuery>& queries, std::size_t max_bytes);

Page<CheckpointTuple> list(const Reader& reader, const CheckpointList& query);
std::vector<ChannelHistory> history(const Reader& reader, const HistoryQuery& query);
Page<ThreadInfo> threads(const Reader& reader, const ThreadList& query);
std::vector<PutWrites> loose_writes(const Reader& reader, const LooseWritesQuery& query);
std::optional<ThreadInfo> thread(const Reader& reader, const ThreadQuery& query);

Page<Message> messages(const Reader& reader, const MessageList& query);
std::optional<Message> message(const Reader& reader, const MessageQuery& query);
std::vector<std::string> streams(const Reader& reader, const ThreadQuery& query);
std::uint64_t count_messages(const Reader& reader, const MessageList& query);
std::optional<StateDocument> state(const Reader& reader, const StateQuery& query);
Page<StateDocument> states(const Reader& reader, const StateList& query);
/// The memory of a thread is what the server estimates. Names of expired threads may count where a
/// sample is looked at.
StoreStats stats(const Reader& reader, const StatsQuery& query);

}  // namespace threadkeep::redis
