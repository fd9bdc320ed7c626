// SPDX-License-Identifier: Apache-2.0
#include "table_undo.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "table_fields.hpp"
#include "table_ledger.hpp"
#include "table_row_log.hpp"
#include "table_sql.hpp"
#include "table_transactions.hpp"

namespace threadkeep::sqlite {

namespace {

using tables::Referrers;
using tables::StayingRow;
using tables::Table;
using tables::WrittenRows;

std::vector<Value> views_of(const std::vector<OwnedValue>& values) {
  std::vector<Value> views;
  views.reserve(values.size());
  for (const OwnedValue& value : values) views.push_back(value.view());
  return views;
}

std::string text_of(const std::vector<Value>& key) {
  std::string text;
  for (const Value& value : key) {
    text += (text.empty() ? "" : ", ") + canonical_text(value, tables::Kind::other);
  }
  return text;
}

/// What was found of one table.
struct Found {
  Table table;
  RowLog log;
  std::string name;       // Of the temporary table.
  std::int64_t last = 0;  // The number of the last row that was dealt with.

  // `"a" = u.k1 AND ...` for rows that are called so.
  std::string match(const std::string& rows, const std::string& undo) const {
    std::vector<std::string> conditions;
    for (const auto& term : log.order().terms) {
      conditions.push_back(rows + term + " = " + undo + "k" +
                           std::to_string(conditions.size() + 1));
    }
    return join(conditions, " AND ");
  }
  // `k1, k2`
  std::string keys() const {
    std::vector<std::string> names;
    for (std::size_t i = 1; i <= log.order().terms.size(); ++i) {
      names.push_back("k" + std::to_string(i));
    }
    return join(names, ", ");
  }
};

class TableUndo final : public tables::RunUndo {
 public:
  TableUndo(const Settings& settings, std::shared_ptr<LockState> lock, std::string run_id,
            const Call& call)
      : run_id_(std::move(run_id)),
        connection_(settings, Connection::Purpose::write, Connection::Missing::fail, call),
        transactions_(connection_, std::move(lock)) {
    connection_.run_script("PRAGMA foreign_keys = ON");
    check_run();
    connection_.finish();
  }

  std::vector<std::string> logged_tables(const Call& call) override {
    const Use use(connection_, call);
    std::vector<std::string> names;
    if (!has_table(connection_, "threadkeep_tier_rows")) return names;
    Rows rows = connection_.query(
        "SELECT DISTINCT table_name FROM main.threadkeep_tier_rows WHERE run_id = ?1 ORDER BY 1",
        run_id_);
    while (rows.next()) names.push_back(rows.text(0));
    return names;
  }

  WrittenRows look(const Table& table, const std::function<void(const StayingRow&)>& stays,
                   const Call& call) override {
    const Use use(connection_, call);
    const std::string name = "temp.threadkeep_undo_" + std::to_string(found_.size());
    Found& found =
        found_.emplace(table.name, Found{table, {connection_, table}, name, 0}).first->second;
    connection_.execute("CREATE TABLE " + name +
                        " (number INTEGER PRIMARY KEY, key TEXT, inserted INTEGER, content TEXT, "
                        "state TEXT, " +
                        found.keys() + ")");
    connection_.execute("CREATE INDEX " + name + "_by_key ON " +
                        name.substr(std::string_view("temp.").size()) + " (" + found.keys() + ")");
    connection_.begin_read();
    WrittenRows counts;
    transactions_.undone_on_failure([&] {
      fill(found, counts, stays);
      connection_.commit();
    });
    return counts;
  }

  std::vector<Referrers> referrers(const Table& table, const Call& call) override {
    const Use use(connection_, call);
    return referrers_of(found(table), 0, std::numeric_limits<std::int64_t>::max());
  }

  void unlink(const Table& table, const std::vector<std::string>& columns,
              const Call& call) override {
    Found& rows = found(table);
    std::vector<std::string> nulls, linked;
    for (const auto& column : columns) {
      nulls.push_back(quote_identifier(column) + " = NULL");
      linked.push_back(quote_identifier(column) + " IS NOT NULL");
    }
    const std::string sql = "UPDATE OR ABORT main." + quote_identifier(table.name) + " SET " +
                            join(nulls, ", ") + " WHERE " + rows.log.has_key() + " AND (" +
                            join(linked, " OR ") + ")";
    transactions_.run(call, [&] {
      each_unchanged(rows, 0, std::numeric_limits<std::int64_t>::max(),
                     [&](std::int64_t number, const std::vector<Value>& key) {
                       connection_.query_values(sql, key).next();
                       if (connection_.changes() > 0) note_again(rows, number, key);
                     });
    });
  }

  std::optional<std::uint64_t> remove(const Table& table, std::uint64_t max_rows,
                                      const Call& call) override {
    Found& rows = found(table);
    std::optional<std::int64_t> to;
    std::uint64_t removed = 0;
    transactions_.run(call, [&] {
      to = last_of_batch(rows, max_rows);
      if (to) removed = remove_rows(rows, *to);
    });
    if (!to) return {};
    rows.last = *to;
    return removed;
  }

  void begin_group(const Call& call) override { transactions_.begin_group(call); }

  void end_group(const Call& call) override {
    transactions_.end_group(call, [] {});
  }

  void forget(const Call& call) override {
    transactions_.run(call, [&] {
      connection_.execute("DELETE FROM main.threadkeep_tier_rows WHERE run_id = ?1", run_id_);
      connection_.execute("DELETE FROM main.threadkeep_tier_runs WHERE id = ?1", run_id_);
    });
  }

 private:
  void check_run() {
    const auto runs = all_runs(connection_);
    if (std::find(runs.begin(), runs.end(), run_id_) != runs.end()) return;
    throw Error(Code::invalid_argument,
                "this target knows no run '" + run_id_ + "'; " +
                    (runs.empty() ? "it knows none at all" : "it knows " + join(runs, ", ")));
  }

  Found& found(const Table& table) {
    const auto found = found_.find(table.name);
    if (found != found_.end()) return found->second;
    throw Error(Code::invalid_argument, "nobody has looked at the table \"" + table.name + '"');
  }

  // The last note of a row is what the run has left.
  void fill(Found& found, WrittenRows& counts,
            const std::function<void(const StayingRow&)>& stays) {
    Rows rows = connection_.query(
        "SELECT key, total(inserted) > 0, content, max(id) FROM main.threadkeep_tier_rows "
        "WHERE run_id = ?1 AND table_name = ?2 GROUP BY key ORDER BY max(id)",
        run_id_, found.table.name);
    const std::string insert = "INSERT INTO " + found.name + " (key, inserted, content, state, " +
                               found.keys() + ") VALUES (" +
                               placeholders(4 + found.log.order().terms.size()) + ")";
    while (rows.next()) {
      const bool inserted = rows.integer(1) != 0;
      const auto key = parse_cursor(rows.text(0));
      const auto place = views_of(key);
      const auto now = found.log.content(place);
      const char* state = !now ? "gone" : *now == rows.view(2) ? "unchanged" : "changed";
      count(counts, inserted, state);
      if (stays && now && (!inserted || *now != rows.view(2))) stays({!inserted, text_of(place)});
      std::vector<Value> values = {Value::text(rows.view(0)), Value::of(std::int64_t{inserted}),
                                   Value::text(rows.view(2)), Value::text(state)};
      values.insert(values.end(), place.begin(), place.end());
      connection_.query_values(insert, values).next();
    }
  }

  static void count(WrittenRows& counts, bool inserted, std::string_view state) {
    if (!inserted) {
      ++counts.updated;
    } else if (state == "gone") {
      ++counts.gone;
    } else {
      ++(state == "changed" ? counts.changed : counts.unchanged);
    }
  }

  // Rows of the run that are to be deleted too are no reason to keep others.
  std::vector<Referrers> referrers_of(const Found& found, std::int64_t after, std::int64_t to) {
    std::vector<Referrers> all;
    for (const auto& table : table_names()) {
      for (const auto& [id, key] : foreign_keys_of(connection_, table)) {
        if (key.target != found.table.name) continue;
        const auto rows = count_referrers(found, table, key, after, to);
        if (rows > 0) all.push_back({table, key.columns, found.table.name, rows});
      }
    }
    return all;
  }

  std::uint64_t count_referrers(const Found& found, const std::string& table,
                                const tables::ForeignKey& key, std::int64_t after,
                                std::int64_t to) {
    std::vector<std::string> points;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      points.push_back("c." + quote_identifier(key.columns[i]) + " = t." +
                       quote_identifier(key.target_columns.at(i)));
    }
    std::string sql = "SELECT count(*) FROM " + found.name + " AS u JOIN main." +
                      quote_identifier(found.table.name) + " AS t ON " + found.match("t.", "u.") +
                      " JOIN main." + quote_identifier(table) + " AS c ON " +
                      join(points, " AND ") +
                      " WHERE u.number > ?1 AND u.number <= ?2 AND u.inserted AND u.state = "
                      "'unchanged'";
    if (const auto own = found_.find(table); own != found_.end()) {
      sql += " AND NOT EXISTS (SELECT 1 FROM " + own->second.name + " AS v WHERE " +
             // The plus takes the affinity away, with which the index could not be used.
             own->second.match("+c.", "v.") + " AND v.inserted AND v.state = 'unchanged')";
    }
    Rows rows = connection_.query(sql, after, to);
    rows.next();
    return static_cast<std::uint64_t>(rows.integer(0));
  }

  std::vector<std::string> table_names() {
    std::vector<std::string> names;
    Rows rows = connection_.query("SELECT name FROM main.sqlite_schema WHERE type = 'table'");
    while (rows.next()) names.push_back(rows.text(0));
    return names;
  }

  std::optional<std::int64_t> last_of_batch(const Found& found, std::uint64_t max_rows) {
    const auto most = std::min<std::uint64_t>(max_rows, std::numeric_limits<std::int64_t>::max());
    Rows rows = connection_.query("SELECT max(number) FROM (SELECT number FROM " + found.name +
                                      " WHERE number > ?1 ORDER BY number LIMIT ?2)",
                                  found.last, static_cast<std::int64_t>(most));
    rows.next();
    if (rows.value(0).storage == Storage::null) return {};
    return rows.integer(0);
  }

  template <class Work>
  void each_unchanged(Found& found, std::int64_t after, std::int64_t to, Work work) {
    Rows rows = connection_.query("SELECT number, content, key FROM " + found.name +
                                      " WHERE number > ?1 AND number <= ?2 AND inserted AND "
                                      "state = 'unchanged' ORDER BY number",
                                  after, to);
    while (rows.next()) {
      const auto key = parse_cursor(rows.text(2));
      const auto place = views_of(key);
      const auto now = found.log.content(place);
      if (now && *now == rows.view(1)) work(rows.integer(0), place);
    }
  }

  std::uint64_t remove_rows(Found& found, std::int64_t to) {
    const auto others = referrers_of(found, found.last, to);
    if (!others.empty()) {
      const auto& first = others.front();
      throw Error(Code::conflict, std::to_string(first.rows) + " rows of " + first.table + " (" +
                                      join(first.columns, ", ") + ") refer to rows of " +
                                      first.target +
                                      " that are to be deleted; delete or change them first");
    }
    const std::string sql =
        "DELETE FROM main." + quote_identifier(found.table.name) + " WHERE " + found.log.has_key();
    std::uint64_t removed = 0;
    each_unchanged(found, found.last, to, [&](std::int64_t, const std::vector<Value>& key) {
      connection_.query_values(sql, key).next();
      removed += static_cast<std::uint64_t>(connection_.changes());
    });
    return removed;
  }

  // So that a rollback that is interrupted knows the row again.
  void note_again(Found& found, std::int64_t number, const std::vector<Value>& key) {
    found.log.note(run_id_, key, false);
    connection_.execute("UPDATE " + found.name + " SET content = ?2 WHERE number = ?1", number,
                        found.log.content(key));
  }

  const std::string run_id_;
  Connection connection_;
  TableTransactions transactions_;
  std::map<std::string, Found> found_;
};

}  // namespace

std::unique_ptr<tables::RunUndo> open_undo(const Settings& settings,
                                           std::shared_ptr<LockState> state,
                                           const std::string& run_id, const Call& call) {
  return std::make_unique<TableUndo>(settings, std::move(state), run_id, call);
}

}  // namespace threadkeep::sqlite
