// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "connection.hpp"

/// \file
/// Small steps on the tables of threads and tombstones that several mutations share.

namespace threadkeep::sqlite {

/// Creates the thread, or brings its updated_at up to date when it is stale; see
/// touch_granularity. Writes nothing otherwise.
void touch_thread(Connection& connection, const std::string& thread_id, std::int64_t now);

/// Empty when the thread is not listed.
std::optional<std::string> find_thread_metadata(Connection& connection,
                                                const std::string& thread_id);

/// The greatest checkpoint_id that was deleted from the thread.
std::optional<std::string> find_tombstone(Connection& connection, const std::string& thread_id);

/// Something was deleted now: raises the thread's tombstone to `checkpoint_id` if it is not above
/// it already.
void raise_tombstone(Connection& connection, const std::string& thread_id,
                     const std::string& checkpoint_id, std::int64_t now);

}  // namespace threadkeep::sqlite
