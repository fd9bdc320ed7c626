// SPDX-License-Identifier: Apache-2.0
#include "table_merge.hpp"

#include <vector>

#include "postgres/sql.hpp"
#include "table_session.hpp"
#include "table_stage.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

using tables::Target;

std::string assignments(const std::vector<std::string>& columns, std::string_view from) {
  std::string out;
  for (const std::string& column : columns) {
    const std::string name = quote_identifier(column);
    out += (out.empty() ? "" : ", ") + name + " = " + std::string(from) + name;
  }
  return out;
}

// A session that was faster with the same key has its row compared like any other; but what a log
// says was put in by the run must be so.
std::string on_conflict(const Target& target) {
  if (target.update.empty() || target.log) return "NOTHING";
  return "UPDATE SET " + assignments(target.update, "excluded.") + " WHERE " +
         differ(target.table, target.update, "t.", "excluded.") + " AND NOT " +
         is_newer(target, "excluded.");
}

std::string with_nulls(std::string list, const Target& target, bool values) {
  for (const std::string& column : target.nulls) {
    list += ", " + (values ? "NULL" : quote_identifier(column));
  }
  return list;
}

Pieces pieces_of(const std::string& schema, const Target& target, const std::string& stage) {
  const auto columns = names_of(target.columns);
  const auto& key = target.table.key;
  return {
      {"{stage}", stage},
      {"{rows}", rows_of(schema, target.table)},
      {"{table}", qualified(schema, target.table.name)},
      {"{columns}", with_nulls(list_of(columns), target, false)},
      {"{values}", with_nulls(list_of(columns, "s."), target, true)},
      {"{match}", match(key, "t.", "s.")},
      {"{key}", list_of(key, "s.")},
      {"{conflict}", list_of(key)},
      {"{differs}", differ(target.table, target.update, "t.", "s.")},
      {"{kept}", is_newer(target, "s.")},
      {"{assignments}", assignments(target.update, "s.")},
      {"{action}", on_conflict(target)},
  };
}

// The statement, which also notes the rows that it writes.
std::string logged(std::string statement, const std::string& schema, const Target& target) {
  std::string key;
  for (const std::string& column : target.table.key) {
    key += (key.empty() ? "t." : ", t.") + quote_identifier(column) + "::text";
  }
  return compose(
      sql::tables_logged,
      {{"{write}", std::move(statement)}, {"{key}", key}, {"{schema}", quote_identifier(schema)}});
}

}  // namespace

std::string is_newer(const Target& target, std::string_view from) {
  if (!target.guard) return "false";
  const std::string ours = "t." + quote_identifier(*target.guard);
  const std::string theirs = std::string(from) + quote_identifier(*target.guard);
  return "coalesce(" + ours + " > " + theirs + ", " + ours + " IS NOT NULL AND " + theirs +
         " IS NULL)";
}

TableMerge::TableMerge(const std::string& schema, const Target& target, const std::string& stage)
    : table_(target.table.name), log_(target.log) {
  const Pieces pieces = pieces_of(schema, target, stage);
  const auto written = [&](std::string_view text) {
    std::string statement = compose(text, pieces);
    return target.log ? logged(std::move(statement), schema, target) : statement;
  };
  if (target.mode == Target::Mode::insert_once) {
    insert_ = written(sql::tables_insert_once);
    return;
  }
  if (target.table.key.empty()) {
    throw Error(Code::invalid_argument, "table " + quote_identifier(target.table.name) +
                                            " has no key by which its rows could be found");
  }
  settled_ = compose(sql::tables_settled, pieces);
  if (!target.update.empty()) update_ = written(sql::tables_update);
  if (target.mode == Target::Mode::upsert) insert_ = written(sql::tables_insert);
}

tables::Counts TableMerge::run(Connection& connection, const std::string& run_id,
                               const Call& call) const {
  tables::Counts counts;
  if (!settled_.empty()) {
    const Result result = run_once(connection, settled_, call);
    counts.unchanged = static_cast<std::uint64_t>(result.integer(0, 0));
    counts.kept = static_cast<std::uint64_t>(result.integer(0, 1));
  }
  if (!update_.empty()) counts.updated = write(connection, update_, run_id, false, call);
  if (!insert_.empty()) counts.inserted = write(connection, insert_, run_id, true, call);
  return counts;
}

std::uint64_t TableMerge::write(Connection& connection, const std::string& sql,
                                const std::string& run_id, bool inserted, const Call& call) const {
  if (!log_) return run_once(connection, sql, call).affected();
  Parameters parameters;
  parameters.text(run_id).text(table_).boolean(inserted);
  const Result written = run_once(connection, sql, std::move(parameters), call);
  return static_cast<std::uint64_t>(written.integer(0, 0));
}

}  // namespace threadkeep::postgres
