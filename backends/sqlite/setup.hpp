// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "connection.hpp"

namespace threadkeep::sqlite {

/// "tkep" as a number: PRAGMA application_id of every file of ours.
inline constexpr std::int64_t application_id = 0x746b6570;
/// PRAGMA user_version: the format of docs/storage/sqlite.md that this build reads and writes.
inline constexpr std::int64_t format_version = 3;

/// Throws Error(unavailable) when there is no file.
void check_file_exists(const std::string& path);

/// Makes an empty file a store, or refuses it as one that is not there; brings a store of an older
/// format to this one, and checks what is there. Idempotent and safe in any number of processes at
/// once. Throws Error: `unsupported` for a database of something else or of a newer format,
/// `corrupt` for a file that is no database.
void set_up(Connection& connection, FirstUse first_use, std::chrono::milliseconds busy,
            const Call& call);

}  // namespace threadkeep::sqlite
