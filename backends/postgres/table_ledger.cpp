// SPDX-License-Identifier: Apache-2.0
#include "table_ledger.hpp"

#include <utility>
#include <vector>

#include "postgres/sql.hpp"
#include "table_session.hpp"

namespace threadkeep::postgres {

namespace {

using tables::Counts;
using tables::Run;
using tables::TableProgress;

std::uint64_t count(const Result& rows, std::size_t row, int column) {
  return static_cast<std::uint64_t>(rows.integer(row, column));
}

TableProgress progress_in(const Result& rows, std::size_t row) {
  TableProgress progress;
  progress.table = rows.text(row, 0);
  progress.pass = static_cast<int>(rows.integer(row, 1));
  progress.cursor = rows.text(row, 2);
  progress.done = rows.boolean(row, 3);
  progress.counts = Counts{.inserted = count(rows, row, 4),
                           .updated = count(rows, row, 5),
                           .unchanged = count(rows, row, 6),
                           .kept = count(rows, row, 7),
                           .rejected = count(rows, row, 8)};
  return progress;
}

Parameters& add(Parameters& parameters, std::uint64_t count) {
  return parameters.bigint(static_cast<std::int64_t>(count));
}

}  // namespace

TableLedger::TableLedger(Connection& connection) : connection_(connection) {}

std::string TableLedger::text(std::string_view sql) const {
  return compose(sql, {{"{schema}", quote_identifier(connection_.schema())}});
}

bool TableLedger::exists(bool with_rows, const Call& call) {
  Parameters parameters;
  parameters.text(connection_.schema());
  const std::string sql(sql::tables_ledger_exists);
  return run_once(connection_, sql, std::move(parameters), call).boolean(0, with_rows ? 1 : 0);
}

std::optional<Run> TableLedger::unfinished(const Call& call) {
  if (!exists(false, call)) return {};
  const Result rows = run_once(connection_, text(sql::tables_ledger_unfinished), call);
  if (rows.empty()) return {};
  Run run;
  run.id = rows.text(0, 0);
  run.source = rows.text(0, 1);
  run.plan_hash = rows.text(0, 2);
  run.started_at = rows.timestamp(0, 3);
  run.tables = progress_of(run.id, call);
  return run;
}

std::vector<std::string> TableLedger::runs(const Call& call) {
  std::vector<std::string> ids;
  if (!exists(false, call)) return ids;
  const Result rows = run_once(connection_, text(sql::tables_undo_runs), call);
  ids.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) ids.push_back(rows.text(row, 0));
  return ids;
}

std::vector<TableProgress> TableLedger::progress_of(const std::string& run_id, const Call& call) {
  Parameters parameters;
  parameters.text(run_id);
  const Result rows =
      run_once(connection_, text(sql::tables_ledger_progress), std::move(parameters), call);
  std::vector<TableProgress> tables;
  tables.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) tables.push_back(progress_in(rows, row));
  return tables;
}

void TableLedger::begin(const Run& run, const Call& call) {
  TableTransaction transaction(connection_, call);
  if (!exists(true, call)) connection_.execute(text(sql::tables_ledger_create), call);
  Parameters parameters;
  parameters.text(run.id).text(run.source).text(run.plan_hash).timestamp(run.started_at);
  run_once(connection_, text(sql::tables_ledger_begin), std::move(parameters), call);
  transaction.commit(call);
}

void TableLedger::finish(const std::string& run_id, const Call& call) {
  TableTransaction transaction(connection_, call);
  Parameters parameters;
  parameters.text(run_id);
  run_once(connection_, text(sql::tables_ledger_finish), std::move(parameters), call);
  transaction.commit(call);
}

void TableLedger::record(const std::string& run_id, const TableProgress& progress,
                         const Call& call) {
  const Counts& counts = progress.counts;
  Parameters parameters;
  parameters.text(run_id).text(progress.table).integer(progress.pass).text(progress.cursor);
  parameters.boolean(progress.done);
  add(add(add(parameters, counts.inserted), counts.updated), counts.unchanged);
  add(add(parameters, counts.kept), counts.rejected);
  run_once(connection_, text(sql::tables_ledger_record), std::move(parameters), call);
}

void TableLedger::reject(const std::string& run_id, const std::string& table,
                         const std::vector<std::string>& keys, const Call& call) {
  Parameters parameters;
  parameters.text(run_id).text(table).text_array(keys);
  run_once(connection_, text(sql::tables_ledger_reject), std::move(parameters), call);
}

std::vector<std::string> TableLedger::rejected(const std::string& run_id, const std::string& table,
                                               const Call& call) {
  Parameters parameters;
  parameters.text(run_id).text(table);
  const Result rows =
      run_once(connection_, text(sql::tables_ledger_rejects), std::move(parameters), call);
  std::vector<std::string> keys;
  keys.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) keys.push_back(rows.text(row, 0));
  return keys;
}

}  // namespace threadkeep::postgres
