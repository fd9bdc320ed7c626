// SPDX-License-Identifier: Apache-2.0
#include "tables_support.hpp"

#include <algorithm>

#include "sqlite/table_database.hpp"
#include "sqlite/table_sql.hpp"

namespace threadkeep::sqlite_test {

std::unique_ptr<tables::Database> open_tables(const std::filesystem::path& file,
                                              const std::string& parameters) {
  Url url = Url::parse(url_of(file, parameters));
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

tables::Target target_for(tables::Database& source, tables::Database& target,
                          const std::string& name) {
  tables::Target to;
  to.table = table_of(target, name);
  for (const auto& column : table_of(source, name).columns) {
    if (column.generated) continue;
    to.columns.push_back({column.name, column.kind});
    const auto& key = to.table.key;
    if (std::find(key.begin(), key.end(), column.name) == key.end()) {
      to.update.push_back(column.name);
    }
  }
  if (to.table.key.empty()) to.mode = tables::Target::Mode::insert_once;
  return to;
}

void begin_run(tables::Writer& writer) {
  tables::Run run;
  run.id = run_id;
  writer.begin_run(run, {});
}

tables::Counts copy_table(tables::Database& source, tables::Database& target,
                          const std::string& name) {
  const auto to = target_for(source, target, name);
  const auto writer = target.writer({});
  begin_run(*writer);
  const auto snapshot = source.snapshot({});
  const auto table = table_of(source, name);
  const auto reader =
      snapshot->read(table, {.columns = names_of(table), .from = {}, .without_expired = {}}, {});
  tables::TableProgress progress;
  progress.table = name;
  while (const auto batch = reader->next(7, 1 << 20, {})) {
    writer->write(to, *batch, run_id, progress, 0, nullptr, {});
  }
  return progress.counts;
}

tables::Differences compare_tables(tables::Database& source, tables::Database& target,
                                   const std::string& name) {
  const auto snapshot = source.snapshot({});
  const auto table = table_of(source, name);
  const auto reader =
      snapshot->read(table, {.columns = names_of(table), .from = {}, .without_expired = {}}, {});
  const auto writer = target.writer({});
  const auto comparison = writer->compare(target_for(source, target, name), {});
  while (const auto batch = reader->next(7, 1 << 20, {})) comparison->add(*batch, {});
  return comparison->finish({});
}

}  // namespace threadkeep::sqlite_test
