// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::sqlite_test {

/// Opens a file as tables, as a migration does.
std::unique_ptr<tables::Database> open_tables(const std::filesystem::path& file,
                                              const std::string& parameters = {});

/// The description of a table that must be there.
tables::Table table_of(tables::Database& database, const std::string& name);
std::vector<std::string> names_of(const tables::Table& table);

/// All lines of a table, read in batches of `max_rows`.
std::string lines_of(tables::Database& database, const std::string& name,
                     std::uint64_t max_rows = 1000);

/// Every row of a table as SQLite's quote() writes its values, sorted.
std::vector<std::string> quoted_rows(const std::filesystem::path& file, const tables::Table& table);

/// All columns of the lines of `source`, into the table of the same name.
tables::Target target_for(tables::Database& source, tables::Database& target,
                          const std::string& name);

/// A run that is begun, for tests that are not about runs.
inline const std::string run_id = "run 1";
void begin_run(tables::Writer& writer);

/// The source's rows into the target, in batches of 7 rows. Rejects end it.
tables::Counts copy_table(tables::Database& source, tables::Database& target,
                          const std::string& name);

/// What a comparison of all rows says.
tables::Differences compare_tables(tables::Database& source, tables::Database& target,
                                   const std::string& name);

}  // namespace threadkeep::sqlite_test
