// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "threadkeep/mutation.hpp"

/// \file
/// Small steps on the tables of messages, state and operations.

namespace threadkeep::sqlite {

/// The columns that read_message expects.
#define THREADKEEP_MESSAGE_COLUMNS "stream, seq, id, role, created_at, version, metadata, content"

Message read_message(const Rows& rows);

std::optional<Message> find_message(Connection& connection, const std::string& thread_id,
                                    const std::string& id);

/// 0 where the thread is not listed.
std::int64_t find_revision(Connection& connection, const std::string& thread_id);

/// Creates the thread if it is new, counts a change, and brings updated_at up to date when it is
/// stale. The new revision.
std::int64_t raise_revision(Connection& connection, const std::string& thread_id, std::int64_t now);

std::optional<StateDocument> find_document(Connection& connection, const StateScope& scope,
                                           const std::string& key);

void store_document(Connection& connection, const StateScope& scope, const StateDocument& document);

void delete_document(Connection& connection, const StateScope& scope, const std::string& key);

/// What an operation of this name did. Throws Error(conflict) when it was another one.
std::optional<Written> find_done(Connection& connection, const std::string& thread_id,
                                 const std::string& operation_id, std::uint64_t fingerprint);

/// Stores what an operation did, and forgets those of long ago.
void remember(Connection& connection, const std::string& thread_id, const std::string& operation_id,
              std::uint64_t fingerprint, const Written& written);

}  // namespace threadkeep::sqlite
