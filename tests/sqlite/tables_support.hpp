// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::sqlite_test {

/// Opens a file as tables, as a migration does.
std::unique_ptr<tables::Database> open_tables(const std::filesystem::path& file);

/// The description of a table that must be there.
tables::Table table_of(tables::Database& database, const std::string& name);
std::vector<std::string> names_of(const tables::Table& table);

/// All lines of a table, read in batches of `max_rows`.
std::string lines_of(tables::Database& database, const std::string& name,
                     std::uint64_t max_rows = 1000);

/// Every row of a table as SQLite's quote() writes its values, sorted.
std::vector<std::string> quoted_rows(const std::filesystem::path& file, const tables::Table& table);

}  // namespace threadkeep::sqlite_test
