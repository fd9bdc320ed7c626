// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

/// \file
/// What migrations into a file remember there, beside the rows that they write. The functions that
/// write are called in a transaction.

namespace threadkeep::sqlite {

/// The last run that is not finished. Creates nothing.
std::optional<tables::Run> unfinished_run(Connection& connection);

/// The ids of all runs, the last one first.
std::vector<std::string> all_runs(Connection& connection);

/// Creates the tables of runs where they are missing, and writes down the run.
void begin_run(Connection& connection, const tables::Run& run);
void finish_run(Connection& connection, const std::string& run_id);
void record(Connection& connection, const std::string& run_id,
            const tables::TableProgress& progress);

/// The keys of rows that were rejected.
void reject(Connection& connection, const std::string& run_id, const std::string& table,
            const std::string& key);
std::vector<std::string> rejected(Connection& connection, const std::string& run_id,
                                  const std::string& table);

bool has_table(Connection& connection, const std::string& name);
/// Microseconds since 1970 UTC.
std::int64_t now_in_microseconds();

}  // namespace threadkeep::sqlite
