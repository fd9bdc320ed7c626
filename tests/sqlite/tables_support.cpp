// SPDX-License-Identifier: Apache-2.0
#include "tables_support.hpp"

#include "sqlite/table_database.hpp"
#include "sqlite/table_sql.hpp"

namespace threadkeep::sqlite_test {

std::unique_ptr<tables::Database> open_tables(const std::filesystem::path& file) {
  Url url = Url::parse(url_of(file));
  return sqlite::open_tables(url, {});
}

tables::Table table_of(tables::Database& database, const std::string& name) {
  for (auto& table : database.describe({}).tables) {
    if (table.name == name) return table;
  }
  throw std::runtime_error("there is no table " + name);
}

std::vector<std::string> names_of(const tables::Table& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns) {
    if (!column.generated) names.push_back(column.name);
  }
  return names;
}

std::string lines_of(tables::Database& database, const std::string& name, std::uint64_t max_rows) {
  const auto table = table_of(database, name);
  const auto snapshot = database.snapshot({});
  const auto reader =
      snapshot->read(table, {.columns = names_of(table), .from = {}, .without_expired = {}}, {});
  std::string lines;
  while (const auto batch = reader->next(max_rows, 1 << 20, {})) lines += batch->lines;
  return lines;
}

std::vector<std::string> quoted_rows(const std::filesystem::path& file,
                                     const tables::Table& table) {
  std::vector<std::string> quoted;
  for (const auto& name : names_of(table)) {
    quoted.push_back("quote(" + sqlite::quote_identifier(name) + ")");
  }
  const std::string columns = sqlite::join(quoted, " || ' ' || ");
  return RawDatabase(file).run("SELECT " + columns + " FROM " +
                               sqlite::quote_identifier(table.name) + " ORDER BY 1");
}

}  // namespace threadkeep::sqlite_test
