// SPDX-License-Identifier: Apache-2.0
#include "table_snapshot.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "postgres/sql.hpp"
#include "table_copy_stream.hpp"
#include "table_digest.hpp"
#include "table_lines.hpp"
#include "table_session.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

using tables::Batch;
using tables::Column;
using tables::Cursor;
using tables::Kind;
using tables::Table;

// A batch has its room at once: text that grows is there twice for a moment, and takes twice its
// size in the end.
constexpr std::size_t most_reserved = std::size_t{32} << 20;
constexpr std::size_t usual_row = std::size_t{64} << 10;

// Where in the selected columns those of the key are.
std::vector<std::size_t> places_of_key(const Table& table,
                                       const std::vector<std::string>& columns) {
  std::vector<std::size_t> places;
  places.reserve(table.key.size());
  for (const std::string& name : table.key) {
    const auto found = std::find(columns.begin(), columns.end(), name);
    if (found == columns.end()) {
      throw Error(Code::invalid_argument, "column " + quote_identifier(name) + " of table " +
                                              quote_identifier(table.name) +
                                              " belongs to its key and must be read");
    }
    places.push_back(static_cast<std::size_t>(found - columns.begin()));
  }
  return places;
}

const Column& time_column(const Table& table, const std::string& name) {
  const Column* column = table.find(name);
  const auto is_time = [](Kind kind) {
    return kind == Kind::timestamp || kind == Kind::timestamp_with_zone || kind == Kind::date;
  };
  if (column && is_time(column->kind)) return *column;
  throw Error(Code::invalid_argument, "table " + quote_identifier(table.name) +
                                          " has no time in a column " + quote_identifier(name));
}

std::string is_expired(const Table& table, const std::string& name) {
  return quote_identifier(time_column(table, name).name) + " <= now()";
}

// COPY takes no parameters, so what the cursor holds travels as settings of the transaction, which
// the statement reads.
std::string setting_name(std::size_t place) {
  return "threadkeep.cursor_" + std::to_string(place);
}

void set_cursor(Connection& connection, const std::vector<std::string>& values, const Call& call) {
  static const Statement statement("SELECT set_config($1::text, $2::text, true)");
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string name = setting_name(i);
    Parameters parameters;
    parameters.text(name).text(values[i]);
    connection.run(statement, std::move(parameters), Effect::none, call);
  }
}

std::string beyond_cursor(const Table& table) {
  std::string values;
  for (std::size_t i = 0; i < table.key.size(); ++i) {
    const Column* column = table.find(table.key[i]);
    if (!column) throw Error(Code::invalid_argument, "the key has a column that the table has not");
    values += (i == 0 ? "" : ", ");
    values += "current_setting('" + setting_name(i) + "')::" + column->type;
  }
  return "(" + list_of(table.key) + ") > (" + values + ")";
}

// The rows of a tree, which is left to be joined with the table. Its columns have names that no
// table has.
std::string tree_clause(const std::string& rows, const tables::Snapshot::Selection::Tree& tree) {
  std::string keys, names, refers, is_root;
  for (std::size_t i = 0; i < tree.columns.size(); ++i) {
    const std::string own = quote_identifier(tree.columns[i]);
    const std::string name = "threadkeep_" + std::to_string(i);
    names += ", " + name;
    keys += ", c." + quote_identifier(tree.target_columns.at(i));
    refers += (i == 0 ? "tree." : " AND tree.") + name + " = c." + own;
    is_root +=
        (i == 0 ? "c." : " AND c.") + own + " = c." + quote_identifier(tree.target_columns.at(i));
  }
  const std::string no_root = "(" + is_root + ") IS FALSE";
  return "WITH RECURSIVE tree (threadkeep_depth" + names + ") AS (SELECT 0" + keys + " FROM " +
         rows + " AS c WHERE NOT (" + no_root + ") UNION ALL SELECT threadkeep_depth + 1" + keys +
         " FROM tree JOIN " + rows + " AS c ON " + refers + " AND " + no_root + ") ";
}

std::string is_in_tree(const tables::Snapshot::Selection::Tree& tree) {
  std::string text;
  for (std::size_t i = 0; i < tree.target_columns.size(); ++i) {
    text += (i == 0 ? "t." : " AND t.") + quote_identifier(tree.target_columns[i]) +
            " = threadkeep_" + std::to_string(i);
  }
  return text;
}

std::string copy_statement(const std::string& rows, const Table& table,
                           const tables::Snapshot::Selection& selection) {
  std::vector<std::string> conditions;
  if (!selection.from.empty()) conditions.push_back(beyond_cursor(table));
  if (selection.without_expired) {
    conditions.push_back("(" + is_expired(table, *selection.without_expired) + ") IS NOT TRUE");
  }
  std::string order = list_of(table.key, "t.");
  std::string text = "COPY (";
  std::string from = " FROM " + rows + " AS t";
  if (const auto& tree = selection.tree) {
    text += tree_clause(rows, *tree);
    if (tree->others) {
      conditions.push_back("NOT EXISTS (SELECT FROM tree WHERE " + is_in_tree(*tree) + ")");
    } else {
      from += " JOIN tree ON " + is_in_tree(*tree);
      order = "threadkeep_depth" + (order.empty() ? "" : ", " + order);
    }
  }
  text += "SELECT " + list_of(selection.columns, "t.") + from;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    text += (i == 0 ? " WHERE " : " AND ") + conditions[i];
  }
  if (!order.empty()) text += " ORDER BY " + order;
  if (selection.limit) text += " LIMIT " + std::to_string(*selection.limit);
  return text + ") TO STDOUT";
}

class CopyReader final : public tables::RowReader {
 public:
  CopyReader(CopyStream stream, std::vector<std::size_t> key)
      : stream_(std::move(stream)), key_(std::move(key)) {}

  std::optional<Batch> next(std::uint64_t max_rows, std::size_t max_bytes,
                            const Call& call) override {
    Batch batch;
    batch.lines.reserve(std::min(max_bytes, most_reserved) + usual_row);
    std::size_t last = 0;
    while (batch.rows < std::max<std::uint64_t>(max_rows, 1)) {
      const auto line = stream_.next(call);
      if (!line) break;
      last = batch.lines.size();
      batch.lines += *line;
      ++batch.rows;
      if (batch.lines.size() >= max_bytes) break;
    }
    if (batch.rows == 0) return {};
    batch.end = cursor_of(std::string_view(batch.lines).substr(last), key_);
    return batch;
  }

 private:
  CopyStream stream_;
  const std::vector<std::size_t> key_;
};

}  // namespace

TableSnapshot::TableSnapshot(std::shared_ptr<TableSessions> sessions, const Call& call,
                             const std::string& moment)
    : sessions_(std::move(sessions)), connection_(sessions_->take(call)) {
  begin(moment, call);
}

// The moment is that of the first statement, unless another is set. It takes no parameter.
void TableSnapshot::begin(const std::string& moment, const Call& call) {
  run_once(*connection_, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", call);
  if (!moment.empty()) run_once(*connection_, "SET TRANSACTION SNAPSHOT " + moment, call);
  oldest_ = run_once(*connection_, std::string(sql::tables_oldest), call).text(0, 0);
}

std::unique_ptr<tables::Snapshot> TableSnapshot::same_moment(const Call& call) {
  const std::string moment =
      run_once(*connection_, "SELECT quote_literal(pg_export_snapshot())", call).text(0, 0);
  return std::make_unique<TableSnapshot>(sessions_, call, moment);
}

void TableSnapshot::renew(const Call& call) {
  run_once(*connection_, "COMMIT", call);
  before_ = oldest_;
  begin({}, call);
}

bool TableSnapshot::may_have_changed(const Table& table, std::uint64_t rows, const Call& call) {
  const Pieces pieces = {{"{rows}", rows_of(connection_->schema(), table)}};
  Parameters parameters;
  parameters.text(before_);
  const Result found =
      run_once(*connection_, compose(sql::tables_changed, pieces), std::move(parameters), call);
  return static_cast<std::uint64_t>(found.integer(0, 0)) != rows || found.integer(0, 1) > 0;
}

// The hashes of values stay from version to version, because partitions depend on them. Those of
// whole rows came with 14.
std::string TableSnapshot::value_hashes() const {
  return connection_->server_version() >= 140'000 ? "postgres" : "";
}

std::uint64_t TableSnapshot::count(const Table& table, const Call& call) {
  const std::string rows = rows_of(connection_->schema(), table);
  const Result result = run_once(*connection_, "SELECT count(*) FROM " + rows, call);
  return static_cast<std::uint64_t>(result.integer(0, 0));
}

std::uint64_t TableSnapshot::count_expired(const Table& table, const std::string& column,
                                           const Call& call) {
  const std::string rows = rows_of(connection_->schema(), table);
  const Result result = run_once(
      *connection_, "SELECT count(*) FROM " + rows + " WHERE " + is_expired(table, column), call);
  return static_cast<std::uint64_t>(result.integer(0, 0));
}

std::uint64_t TableSnapshot::count_unnamed(const Table& table,
                                           const std::vector<std::string>& columns,
                                           const Call& call) {
  const std::string rows = rows_of(connection_->schema(), table);
  const std::string names = list_of(columns);
  const Result result = run_once(*connection_,
                                 "SELECT (SELECT count(*) FROM " + rows +
                                     ") - (SELECT count(*) FROM (SELECT DISTINCT " + names +
                                     " FROM " + rows + " WHERE num_nulls(" + names + ") = 0) AS d)",
                                 call);
  return static_cast<std::uint64_t>(result.integer(0, 0));
}

std::unique_ptr<tables::RowReader> TableSnapshot::read(const Table& table, Selection selection,
                                                       const Call& call) {
  auto key = places_of_key(table, selection.columns);
  if (!selection.from.empty()) {
    set_cursor(*connection_, values_of(selection.from, table.key.size()), call);
  }
  const std::string text = copy_statement(rows_of(connection_->schema(), table), table, selection);
  return explain_changes(*connection_, [&]() -> std::unique_ptr<tables::RowReader> {
    return std::make_unique<CopyReader>(CopyStream::out(*connection_, text, call), std::move(key));
  });
}

// The rows are few beside those of the table, of which the planner may know nothing.
tables::Digest TableSnapshot::digest(const Table& table, const DigestColumns& columns,
                                     const tables::KeyRange& range, const Call& call) {
  if (range.has_end()) find_by_index(*connection_, call);
  std::string unexpired;
  if (columns.without_expired) {
    unexpired = " AND (" + is_expired(table, *columns.without_expired) + ") IS NOT TRUE";
  }
  const auto digest = columns.of_values ? hashed_digest_of : digest_of;
  return digest(*connection_, table, columns.columns, unexpired, range, call);
}

std::optional<tables::KeyValues> TableSnapshot::key_after(const Table& table,
                                                          const tables::KeyValues& after,
                                                          std::uint64_t rows, const Call& call) {
  find_by_index(*connection_, call);
  return find_key_after(*connection_, table, after, rows, call);
}

Cursor TableSnapshot::cursor_after(const tables::KeyValues& key) const {
  return cursor_with(key);
}

}  // namespace threadkeep::postgres
