// SPDX-License-Identifier: Apache-2.0
#include "table_undo.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "postgres/sql.hpp"
#include "table_describe.hpp"
#include "table_ledger.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

using tables::Referrers;
using tables::StayingRow;
using tables::Table;
using tables::WrittenRows;

std::uint64_t count(const Result& rows, int column) {
  return static_cast<std::uint64_t>(rows.integer(0, column));
}

std::string key_column(std::size_t number) {
  return "k" + std::to_string(number + 1);
}

// The columns by which rows are found, as SQL: those of the key, or the place of a row without.
struct Place {
  std::string name;
  std::string type;
};

std::vector<Place> places_of(const Table& table) {
  if (table.key.empty()) return {{"ctid", "tid"}, {"tableoid", "oid"}};
  std::vector<Place> places;
  places.reserve(table.key.size());
  for (const std::string& name : table.key) {
    const auto* column = table.find(name);
    if (column) places.push_back({quote_identifier(name), column->type});
  }
  return places;
}

std::string joined(const Table& table, std::string_view separator,
                   const std::function<std::string(const Place&, std::size_t)>& text) {
  std::string out;
  std::size_t number = 0;
  for (const Place& place : places_of(table)) {
    if (number > 0) out += separator;
    out += text(place, number++);
  }
  return out;
}

// `t."id" = u.k1`
std::string match_of(const Table& table, std::string_view rows, std::string_view undo) {
  return joined(table, " AND ", [&](const Place& place, std::size_t number) {
    return std::string(rows) + place.name + " = " + std::string(undo) + key_column(number);
  });
}

std::string noted_value(const Place& place, std::size_t number) {
  return "noted.key[" + std::to_string(number + 1) + "]::" + place.type;
}

// A table that refers to another often has no index for that.
void find_in_any_way(Connection& connection, const Call& call) {
  static const Statement statement(
      "SELECT set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true),"
      " set_config('enable_mergejoin', 'on', true)");
  connection.run(statement, {}, Effect::none, call);
}

std::string list(const std::vector<std::string>& ids) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : ", ") + id;
  return text;
}

std::string sentence(const Referrers& each) {
  return std::to_string(each.rows) + " rows of " + each.table + " (" + list(each.columns) +
         ") refer to rows of " + each.target;
}

}  // namespace

TableUndo::TableUndo(std::unique_ptr<Connection> connection, std::string run_id, const Call& call)
    : connection_(std::move(connection)), run_id_(std::move(run_id)) {
  const auto runs = TableLedger(*connection_).runs(call);
  if (std::find(runs.begin(), runs.end(), run_id_) != runs.end()) return;
  throw Error(Code::invalid_argument,
              "this target knows no run '" + run_id_ + "'; " +
                  (runs.empty() ? "it knows none at all" : "it knows " + list(runs)));
}

template <class Work>
auto TableUndo::undone_on_failure(Work work) {
  try {
    return work();
  } catch (...) {
    roll_back(*connection_);
    throw;
  }
}

std::vector<std::string> TableUndo::logged_tables(const Call& call) {
  return undone_on_failure([&] {
    std::vector<std::string> names;
    Parameters parameters;
    parameters.text(connection_->schema());
    const std::string exists(sql::tables_ledger_exists);
    if (!run_once(*connection_, exists, std::move(parameters), call).boolean(0, 1)) return names;
    Parameters of_run;
    of_run.text(run_id_);
    const auto sql =
        compose(sql::tables_undo_logged, {{"{schema}", quote_identifier(connection_->schema())}});
    const Result rows = run_once(*connection_, sql, std::move(of_run), call);
    names.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) names.push_back(rows.text(row, 0));
    return names;
  });
}

Parameters TableUndo::of_run(const std::string& table) const {
  Parameters parameters;
  parameters.text(run_id_).text(table);
  return parameters;
}

TableUndo::Found& TableUndo::found(const std::string& table) {
  const auto found = found_.find(table);
  if (found != found_.end()) return found->second;
  throw Error(Code::invalid_argument, "nobody has looked at table " + quote_identifier(table));
}

TableUndo::Found& TableUndo::make_table(const Table& table, const Call& call) {
  Found found;
  found.table = table;
  const std::string name = "threadkeep_undo_" + std::to_string(found_.size());
  found.name = qualified("pg_temp", name);
  const std::string columns = joined(table, ", ", [](const Place& place, std::size_t number) {
    return key_column(number) + " " + place.type;
  });
  run_once(*connection_,
           compose(sql::tables_undo_create,
                   {{"{name}", quote_identifier(name)}, {"{columns}", columns}}),
           call);
  found.pieces = {{"{undo}", found.name},
                  {"{schema}", quote_identifier(connection_->schema())},
                  {"{rows}", rows_of(connection_->schema(), table)},
                  {"{match}", match_of(table, "t.", "u.")}};
  return found_[table.name] = std::move(found);
}

void TableUndo::fill(const Found& found, const Call& call) {
  const bool keyless = found.table.key.empty();
  Pieces pieces = found.pieces;
  for (auto& [name, text] : pieces) {
    if (name != "{match}") continue;
    text = joined(found.table, " AND ", [](const Place& place, std::size_t number) {
      return "t." + place.name + " = " + noted_value(place, number);
    });
  }
  pieces.emplace_back("{values}", joined(found.table, ", ", noted_value));
  const auto sql = compose(keyless ? sql::tables_undo_fill_keyless : sql::tables_undo_fill, pieces);
  run_once(*connection_, sql, of_run(found.table.name), call);
  run_once(*connection_, "ANALYZE " + found.name, call);
}

WrittenRows TableUndo::look(const Table& table, const std::function<void(const StayingRow&)>& stays,
                            const Call& call) {
  return undone_on_failure([&] {
    const Found& found = make_table(table, call);
    fill(found, call);
    tell_staying(found, stays, call);
    const Result counts =
        run_once(*connection_, compose(sql::tables_undo_counts, found.pieces), call);
    return WrittenRows{.unchanged = count(counts, 0),
                       .changed = count(counts, 1),
                       .gone = count(counts, 2),
                       .updated = count(counts, 3)};
  });
}

void TableUndo::tell_staying(const Found& found,
                             const std::function<void(const StayingRow&)>& stays,
                             const Call& call) {
  if (!stays) return;
  const auto sql = compose(sql::tables_undo_staying, found.pieces);
  std::int64_t last = 0;
  while (true) {
    Parameters parameters;
    parameters.bigint(last);
    const Result rows = run_once(*connection_, sql, std::move(parameters), call);
    if (rows.empty()) return;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      stays({rows.boolean(row, 1), rows.text(row, 2)});
      last = rows.integer(row, 0);
    }
  }
}

// Rows of the run that are to be deleted too are no reason to keep others.
std::vector<TableUndo::Referrer> TableUndo::foreign_keys_to(const Found& found, const Call& call) {
  const Result rows = ask_for_foreign_keys(*connection_, found.table.name, call);
  std::vector<Referrer> all;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const bool same_schema = rows.boolean(row, 6);
    const std::string table = rows.text(row, 1);
    Referrer referrer;
    referrer.found.table = (same_schema ? "" : rows.text(row, 0) + ".") + table;
    referrer.found.columns = texts_of(rows.text(row, 8));
    referrer.found.target = found.table.name;
    const auto targets = texts_of(rows.text(row, 9));
    std::string points_to;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      points_to += (i == 0 ? "c." : " AND c.") + quote_identifier(referrer.found.columns.at(i)) +
                   " = t." + quote_identifier(targets[i]);
    }
    std::string stays;
    if (const auto own = found_.find(table); same_schema && own != found_.end()) {
      stays = "AND NOT EXISTS (SELECT FROM " + own->second.name + " AS v WHERE " +
              match_of(own->second.table, "c.", "v.") +
              " AND v.inserted AND v.state = 'unchanged')";
    }
    Pieces pieces = found.pieces;
    pieces.emplace_back("{others}", (rows.boolean(row, 2) ? "" : "ONLY ") +
                                        qualified(rows.view(row, 0), rows.view(row, 1)));
    pieces.emplace_back("{points_to}", points_to);
    pieces.emplace_back("{stays}", stays);
    referrer.sql = compose(sql::tables_undo_referrers, pieces);
    all.push_back(std::move(referrer));
  }
  return all;
}

std::vector<Referrers> TableUndo::referrers_of(const Found& found, Range range, const Call& call) {
  std::vector<Referrers> all;
  for (Referrer& each : foreign_keys_to(found, call)) {
    Parameters parameters;
    parameters.bigint(range.after).bigint(range.to);
    each.found.rows = count(run_once(*connection_, each.sql, std::move(parameters), call), 0);
    if (each.found.rows > 0) all.push_back(std::move(each.found));
  }
  return all;
}

std::vector<Referrers> TableUndo::referrers(const Table& table, const Call& call) {
  return undone_on_failure([&] {
    return referrers_of(found(table.name), {0, std::numeric_limits<std::int64_t>::max()}, call);
  });
}

void TableUndo::unlink(const Table& table, const std::vector<std::string>& columns,
                       const Call& call) {
  undone_on_failure([&] {
    const Found& rows = found(table.name);
    std::string nulls, linked;
    for (const std::string& column : columns) {
      const std::string name = quote_identifier(column);
      nulls += (nulls.empty() ? "" : ", ") + name + " = NULL";
      linked += (linked.empty() ? "t." : " OR t.") + name + " IS NOT NULL";
    }
    Pieces pieces = rows.pieces;
    pieces.emplace_back("{nulls}", nulls);
    pieces.emplace_back("{linked}", linked);
    TableTransaction transaction(*connection_, call);
    find_by_index(*connection_, call);
    run_once(*connection_, compose(sql::tables_undo_unlink, pieces), of_run(table.name), call);
    transaction.commit(call);
  });
}

Result TableUndo::about(const Found& found, std::string_view sql, Range range, const Call& call) {
  Parameters parameters;
  parameters.bigint(range.after).bigint(range.to);
  return run_once(*connection_, compose(sql, found.pieces), std::move(parameters), call);
}

std::optional<std::uint64_t> TableUndo::remove(const Table& table, std::uint64_t max_rows,
                                               const Call& call) {
  using Removed = std::optional<std::uint64_t>;
  return undone_on_failure([&]() -> Removed {
    Found& rows = found(table.name);
    const auto most = std::min<std::uint64_t>(max_rows, std::numeric_limits<std::int64_t>::max());
    const Range wanted{rows.last, static_cast<std::int64_t>(most)};
    const Result next = about(rows, sql::tables_undo_next, wanted, call);
    if (next.is_null(0, 0)) return {};
    const Range range{rows.last, next.integer(0, 0)};
    TableTransaction transaction(*connection_, call);
    find_by_index(*connection_, call);
    about(rows, sql::tables_undo_lock, range, call);
    find_in_any_way(*connection_, call);
    const auto others = referrers_of(rows, range, call);
    if (!others.empty()) {
      throw Error(Code::conflict, sentence(others.front()) +
                                      " that are to be deleted; delete or change them first");
    }
    find_by_index(*connection_, call);
    const auto removed = about(rows, sql::tables_undo_remove, range, call).affected();
    transaction.commit(call);
    rows.last = range.to;
    return removed;
  });
}

void TableUndo::begin_group(const Call& call) {
  undone_on_failure([&] {
    run_once(*connection_, "BEGIN", call);
    run_once(*connection_, "SET CONSTRAINTS ALL DEFERRED", call);
  });
}

void TableUndo::end_group(const Call& call) {
  undone_on_failure([&] {
    run_once(*connection_, "SET CONSTRAINTS ALL IMMEDIATE", call);
    static const Statement commit("COMMIT");
    connection_->run(commit, {}, Effect::commit, call);
  });
}

void TableUndo::forget(const Call& call) {
  undone_on_failure([&] {
    TableTransaction transaction(*connection_, call);
    Parameters parameters;
    parameters.text(run_id_);
    const auto sql =
        compose(sql::tables_undo_forget, {{"{schema}", quote_identifier(connection_->schema())}});
    run_once(*connection_, sql, std::move(parameters), call);
    transaction.commit(call);
  });
}

}  // namespace threadkeep::postgres
