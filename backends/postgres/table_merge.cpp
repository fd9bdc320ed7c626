// SPDX-License-Identifier: Apache-2.0
#include "table_merge.hpp"

#include <algorithm>
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

// Times that are texts have a T or a blank in the middle, and perhaps a Z at their end.
std::string guard_of(const Target& target, const std::string& name, std::string_view from) {
  std::string value = std::string(from) + quote_identifier(name);
  const auto* column = target.table.find(name);
  if (!column || column->kind != tables::Kind::text) return value;
  return "translate(" + value + "::text, 'TZ', ' ') COLLATE \"C\"";
}

// What was never changed has often no time.
std::string is_greater(const Target& target, const std::string& name, std::string_view from) {
  const std::string ours = guard_of(target, name, "t.");
  const std::string theirs = guard_of(target, name, from);
  return "coalesce(" + ours + " > " + theirs + ", " + ours + " IS NOT NULL AND " + theirs +
         " IS NULL)";
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool are_written(const Target& target, const std::vector<std::string>& columns) {
  return std::all_of(columns.begin(), columns.end(), [&](const std::string& name) {
    return has(target.update, name) || has(target.table.key, name);
  });
}

// Those that an earlier pass wrote, beside the key.
std::vector<std::string> columns_of_earlier_pass(const Target& target) {
  auto columns = names_of(target.columns);
  std::erase_if(columns, [&](const std::string& name) {
    return has(target.update, name) || has(target.table.key, name) || name == target.guard ||
           name == target.second_guard;
  });
  return columns;
}

// That the target's row stays because it is newer, and not because a trigger changed the time of a
// row that an earlier pass wrote.
std::string kept(const Target& target, std::string_view from) {
  std::string newer = is_newer(target, from);
  if (!target.guard || target.mode != Target::Mode::update_only) return newer;
  newer += " AND (" + differ(target.table, columns_of_earlier_pass(target), "t.", from);
  for (const std::string& link : target.update) {
    newer += " OR t." + quote_identifier(link) + " IS NOT NULL";
  }
  return "(" + newer + "))";
}

// A session that was faster with the same key has its row compared like any other; but what a log
// says was put in by the run must be so.
std::string on_conflict(const Target& target) {
  if (target.update.empty() || target.log) return "NOTHING";
  return "UPDATE SET " + assignments(target.update, "excluded.") + " WHERE " +
         differ(target.table, target.update, "t.", "excluded.") + " AND NOT " +
         kept(target, "excluded.");
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
      {"{kept}", kept(target, "s.")},
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
  std::string greater = is_greater(target, *target.guard, from);
  if (!target.second_guard) return greater;
  return "(" + greater + " OR (" + guard_of(target, *target.guard, "t.") +
         " IS NOT DISTINCT FROM " + guard_of(target, *target.guard, from) + " AND " +
         is_greater(target, *target.second_guard, from) + "))";
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
  if (target.mode != Target::Mode::upsert) return;
  insert_ = written(sql::tables_insert);
  for (const auto& columns : target.table.other_keys) {
    if (!are_written(target, columns)) continue;
    Pieces all = pieces;
    all.emplace_back("{wants}", match(columns, "o.", "s."));
    all.emplace_back("{changes}", match(target.table.key, "b.", "o."));
    taken_.emplace_back(columns, compose(sql::tables_taken, all));
  }
}

// By hash joins: a stage has no index.
TableMerge::Taken TableMerge::find_taken(Connection& connection, const Call& call) const {
  Taken taken;
  run_once(connection,
           "SELECT set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', "
           "true)",
           call);
  for (const auto& [columns, sql] : taken_) {
    const Result rows = run_once(connection, sql, call);
    if (rows.size() == 0) continue;
    taken.columns = columns;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      taken.lines.push_back(static_cast<std::size_t>(rows.integer(row, 0)));
    }
    break;
  }
  find_by_index(connection, call);
  return taken;
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
