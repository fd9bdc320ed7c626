// SPDX-License-Identifier: Apache-2.0
#include "table_ledger.hpp"

#include <chrono>

#include "sqlite/schema_sql.hpp"

namespace threadkeep::sqlite {

namespace {

std::uint64_t count(const Rows& rows, int column) {
  return static_cast<std::uint64_t>(rows.integer(column));
}

std::int64_t number(std::uint64_t count) {
  return static_cast<std::int64_t>(count);
}

std::vector<tables::TableProgress> progress_of(Connection& connection, const std::string& run_id) {
  std::vector<tables::TableProgress> tables;
  Rows rows = connection.query(
      "SELECT table_name, pass, position, done, inserted, updated, unchanged, kept, rejected "
      "FROM main.threadkeep_tier_tables WHERE run_id = ?1 ORDER BY table_name, pass",
      run_id);
  while (rows.next()) {
    tables.push_back({.table = rows.text(0),
                      .pass = static_cast<int>(rows.integer(1)),
                      .cursor = rows.text(2),
                      .done = rows.integer(3) != 0,
                      .counts = {.inserted = count(rows, 4),
                                 .updated = count(rows, 5),
                                 .unchanged = count(rows, 6),
                                 .kept = count(rows, 7),
                                 .rejected = count(rows, 8)}});
  }
  return tables;
}

std::optional<tables::Run> last_unfinished(Connection& connection) {
  Rows rows = connection.query(
      "SELECT id, source, plan_hash, started_at FROM main.threadkeep_tier_runs "
      "WHERE finished_at IS NULL ORDER BY started_at DESC, id LIMIT 1");
  if (!rows.next()) return {};
  return tables::Run{.id = rows.text(0),
                     .source = rows.text(1),
                     .plan_hash = rows.text(2),
                     .started_at = rows.integer(3),
                     .finished_at = {},
                     .tables = {}};
}

}  // namespace

bool has_table(Connection& connection, const std::string& name) {
  Rows rows = connection.query(
      "SELECT count(*) FROM main.sqlite_schema WHERE type = 'table' AND name = ?1", name);
  rows.next();
  return rows.integer(0) != 0;
}

std::int64_t now_in_microseconds() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::optional<tables::Run> unfinished_run(Connection& connection) {
  if (!has_table(connection, "threadkeep_tier_tables")) return {};
  auto run = last_unfinished(connection);
  if (run) run->tables = progress_of(connection, run->id);
  return run;
}

std::vector<std::string> all_runs(Connection& connection) {
  std::vector<std::string> ids;
  if (!has_table(connection, "threadkeep_tier_runs")) return ids;
  Rows rows = connection.query("SELECT id FROM main.threadkeep_tier_runs ORDER BY started_at DESC");
  while (rows.next()) ids.push_back(rows.text(0));
  return ids;
}

void begin_run(Connection& connection, const tables::Run& run) {
  connection.run_script(tier_runs_sql);
  connection.execute(
      "INSERT INTO main.threadkeep_tier_runs (id, source, plan_hash, started_at) "
      "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING",
      run.id, run.source, run.plan_hash, run.started_at);
}

void finish_run(Connection& connection, const std::string& run_id) {
  connection.execute("UPDATE main.threadkeep_tier_runs SET finished_at = ?2 WHERE id = ?1", run_id,
                     now_in_microseconds());
}

void record(Connection& connection, const std::string& run_id,
            const tables::TableProgress& progress) {
  const tables::Counts& counts = progress.counts;
  connection.execute(
      "INSERT OR REPLACE INTO main.threadkeep_tier_tables (run_id, table_name, pass, position, "
      "done, inserted, updated, unchanged, kept, rejected) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
      run_id, progress.table, std::int64_t{progress.pass}, progress.cursor,
      std::int64_t{progress.done ? 1 : 0}, number(counts.inserted), number(counts.updated),
      number(counts.unchanged), number(counts.kept), number(counts.rejected));
}

void reject(Connection& connection, const std::string& run_id, const std::string& table,
            const std::string& key) {
  connection.execute(
      "INSERT INTO main.threadkeep_tier_rejects (run_id, table_name, key) VALUES (?1, ?2, ?3)",
      run_id, table, key);
}

std::vector<std::string> rejected(Connection& connection, const std::string& run_id,
                                  const std::string& table) {
  std::vector<std::string> keys;
  Rows rows = connection.query(
      "SELECT DISTINCT key FROM main.threadkeep_tier_rejects WHERE run_id = ?1 AND table_name = ?2",
      run_id, table);
  while (rows.next()) keys.push_back(rows.text(0));
  return keys;
}

}  // namespace threadkeep::sqlite
