// SPDX-License-Identifier: Apache-2.0
#include "table_snapshot.hpp"

#include <algorithm>

#include "table_describe.hpp"
#include "table_rows.hpp"
#include "table_sql.hpp"

namespace threadkeep::sqlite {

namespace {

using tables::Batch;
using tables::RowReader;
using tables::Table;

// A batch has its room at once: text that grows is there twice for a moment, and takes twice its
// size in the end.
constexpr std::size_t most_reserved = std::size_t{32} << 20;
constexpr std::size_t usual_row = std::size_t{64} << 10;

// What a SELECT of a reader says, and what its columns are: those that were selected, then the key.
struct Plan {
  std::string sql;
  std::vector<Format> formats;
  std::size_t key_columns = 0;
  std::vector<OwnedValue> from;  // Parameters.
};

// `moment` is in microseconds since 1970 UTC.
std::string not_expired(const std::string& column, std::int64_t moment) {
  return "(" + time_of(quote_identifier(column)) + " < " + std::to_string(moment) + ") IS NOT TRUE";
}

// The rows of a tree, which is left to be joined with the table. Its columns have names that no
// table has.
std::string tree_clause(const std::string& table, const tables::Snapshot::Selection::Tree& tree) {
  std::vector<std::string> names, keys, refers, is_root;
  for (std::size_t i = 0; i < tree.columns.size(); ++i) {
    const std::string own = "c." + quote_identifier(tree.columns[i]);
    names.push_back("threadkeep_" + std::to_string(i));
    keys.push_back("c." + quote_identifier(tree.target_columns.at(i)));
    refers.push_back("tree." + names.back() + " = " + own);
    is_root.push_back(own + " = " + keys.back());
  }
  const std::string no_root = "(" + join(is_root, " AND ") + ") IS FALSE";
  return "WITH RECURSIVE tree (threadkeep_depth, " + join(names, ", ") + ") AS (SELECT 0, " +
         join(keys, ", ") + " FROM " + table + " AS c WHERE NOT (" + no_root +
         ") UNION ALL SELECT threadkeep_depth + 1, " + join(keys, ", ") + " FROM tree JOIN " +
         table + " AS c ON " + join(refers, " AND ") + " AND " + no_root + ") ";
}

std::string is_in_tree(const tables::Snapshot::Selection::Tree& tree) {
  std::vector<std::string> same;
  for (std::size_t i = 0; i < tree.target_columns.size(); ++i) {
    same.push_back("t." + quote_identifier(tree.target_columns[i]) + " = threadkeep_" +
                   std::to_string(i));
  }
  return join(same, " AND ");
}

std::string where_clause(const tables::Snapshot::Selection& selection, const KeyOrder& order,
                         std::int64_t moment) {
  std::vector<std::string> conditions;
  if (!selection.from.empty()) {
    conditions.push_back("(" + join(order.terms, ", ") + ") > (" +
                         placeholders(order.terms.size()) + ")");
  }
  if (selection.without_expired)
    conditions.push_back(not_expired(*selection.without_expired, moment));
  if (selection.tree && selection.tree->others) {
    conditions.push_back("NOT EXISTS (SELECT 1 FROM tree WHERE " + is_in_tree(*selection.tree) +
                         ")");
  }
  return conditions.empty() ? "" : " WHERE " + join(conditions, " AND ");
}

Plan plan_of(Connection& connection, const Table& table,
             const tables::Snapshot::Selection& selection, std::int64_t moment) {
  const KeyOrder order = key_order_of(connection, table);
  Plan plan;
  plan.formats = formats_of(connection, table, selection.columns);
  plan.key_columns = order.columns.size();
  if (!selection.from.empty()) plan.from = parse_cursor(selection.from);
  if (!plan.from.empty() && plan.from.size() != order.terms.size()) {
    throw Error(Code::invalid_argument, "the cursor is none of the table \"" + table.name + "\"");
  }
  const std::string selected = list_of(selection.columns);
  const std::string rows = "main." + quote_identifier(table.name);
  const bool by_levels = selection.tree && !selection.tree->others;
  if (selection.tree) plan.sql = tree_clause(rows, *selection.tree);
  plan.sql += "SELECT " + selected + (selected.empty() ? "" : ", ") + join(order.columns, ", ") +
              " FROM " + rows + " AS t" +
              (by_levels ? " JOIN tree ON " + is_in_tree(*selection.tree) : "") +
              where_clause(selection, order, moment) + " ORDER BY " +
              (by_levels ? "threadkeep_depth, " : "") + join(order.terms, ", ");
  if (selection.limit) plan.sql += " LIMIT " + std::to_string(*selection.limit);
  return plan;
}

/// One statement that is under way between the batches.
class Reader final : public RowReader {
 public:
  Reader(Connection& connection, std::string table, Plan plan)
      : connection_(connection), table_(std::move(table)), plan_(std::move(plan)) {
    for (const OwnedValue& value : plan_.from) parameters_.push_back(value.view());
    rows_.reset(new Rows(connection_.query_values(plan_.sql, parameters_)));
  }

  std::optional<Batch> next(std::uint64_t max_rows, std::size_t max_bytes,
                            const Call& call) override {
    const Use use(connection_, call);
    Batch batch;
    batch.lines.reserve(std::min(max_bytes, most_reserved) + usual_row);
    while (rows_ && batch.rows < max_rows && batch.lines.size() < max_bytes) {
      if (!rows_->next()) {
        rows_.reset();
        break;
      }
      add_row(batch.lines);
      ++batch.rows;
    }
    if (batch.rows == 0) return {};
    batch.end = to_cursor(key_);
    return batch;
  }

 private:
  void add_row(std::string& lines) {
    int column = 0;
    for (const Format& format : plan_.formats) {
      if (column > 0) lines += '\t';
      append_field(lines, rows_->value(column++), format);
    }
    lines += '\n';
    remember_key(column);
  }

  // Values are lost when the statement goes on, and the last row of a batch is known only then.
  void remember_key(int column) {
    key_values_.clear();
    for (std::size_t i = 0; i < plan_.key_columns; ++i) {
      const Value value = rows_->value(column++);
      if (value.storage == Storage::null) refuse_null();
      key_values_.emplace_back(value);
    }
    key_.clear();
    for (const OwnedValue& value : key_values_) key_.push_back(value.view());
  }

  [[noreturn]] void refuse_null() const {
    throw Error(Code::conflict, "a row of the table \"" + table_ +
                                    "\" has NULL in its primary key; give it a value, and declare "
                                    "the columns of the key NOT NULL");
  }

  Connection& connection_;
  const std::string table_;
  const Plan plan_;
  std::vector<Value> parameters_;
  std::unique_ptr<Rows> rows_;
  std::vector<OwnedValue> key_values_;
  std::vector<Value> key_;
};

class TableSnapshot final : public tables::Snapshot {
 public:
  TableSnapshot(const Settings& settings, const Call& call)
      : connection_(settings, Connection::Purpose::source, Connection::Missing::fail, call) {
    begin();
    connection_.finish();
  }
  ~TableSnapshot() override { connection_.rollback(); }

  void renew(const Call& call) override {
    const Use use(connection_, call);
    connection_.rollback();
    before_ = version_;
    begin();
  }

  bool may_have_changed(const Table& /*table*/, std::uint64_t /*rows*/,
                        const Call& /*call*/) override {
    return version_ != before_;
  }

  std::uint64_t count(const Table& table, const Call& call) override {
    const Use use(connection_, call);
    return number("SELECT count(*) FROM main." + quote_identifier(table.name));
  }

  std::uint64_t count_expired(const Table& table, const std::string& column,
                              const Call& call) override {
    const Use use(connection_, call);
    return number("SELECT count(*) FROM main." + quote_identifier(table.name) + " WHERE NOT (" +
                  not_expired(column, static_cast<std::int64_t>(moment_)) + ")");
  }

  std::uint64_t count_unnamed(const Table& table, const std::vector<std::string>& columns,
                              const Call& call) override {
    const Use use(connection_, call);
    const std::string rows = "main." + quote_identifier(table.name);
    std::vector<std::string> named;
    named.reserve(columns.size());
    for (const auto& column : columns) named.push_back(quote_identifier(column) + " IS NOT NULL");
    return number("SELECT (SELECT count(*) FROM " + rows +
                  ") - (SELECT count(*) FROM (SELECT DISTINCT " + list_of(columns) + " FROM " +
                  rows + " WHERE " + join(named, " AND ") + "))");
  }

  std::unique_ptr<RowReader> read(const Table& table, Selection selection,
                                  const Call& call) override {
    const Use use(connection_, call);
    return std::make_unique<Reader>(
        connection_, table.name,
        plan_of(connection_, table, selection, static_cast<std::int64_t>(moment_)));
  }

 private:
  // The transaction begins with the first read. What expires later is not expired in it.
  void begin() {
    connection_.begin_read();
    moment_ = number(
        "SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
        " FROM (SELECT count(*) FROM sqlite_schema)");
    version_ = number("PRAGMA data_version");
  }

  std::uint64_t number(const std::string& sql) {
    Rows rows = connection_.query(sql);
    rows.next();
    return static_cast<std::uint64_t>(rows.integer(0));
  }

  Connection connection_;
  std::uint64_t moment_ = 0;   // microseconds since 1970 UTC
  std::uint64_t version_ = 0;  // changes with each commit of others
  std::uint64_t before_ = 0;   // the version before renew()
};

}  // namespace

std::unique_ptr<tables::Snapshot> open_snapshot(const Settings& settings, const Call& call) {
  return std::make_unique<TableSnapshot>(settings, call);
}

}  // namespace threadkeep::sqlite
