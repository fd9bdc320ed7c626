// SPDX-License-Identifier: Apache-2.0
#include "table_comparison.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "postgres/sql.hpp"
#include "table_digest.hpp"
#include "table_merge.hpp"
#include "table_session.hpp"

namespace threadkeep::postgres {

namespace {

using tables::Target;

constexpr std::size_t most_examples = 10;
constexpr std::string_view stage_name = "threadkeep_compared";
constexpr std::string_view keys_name = "threadkeep_keys";

std::string key_text(const std::vector<std::string>& key, std::string_view from) {
  std::string out = "concat_ws(', '";
  for (const std::string& column : key) {
    out += ", " + std::string(from) + quote_identifier(column) + "::text";
  }
  return out + ")";
}

// The names of columns come as parameter $1.
std::string differing(const Target& target, const std::vector<std::string>& columns) {
  std::string out;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    out += (i == 0 ? "" : ", ") + ("CASE WHEN " + differ(target.table, {columns[i]}, "t.", "s.")) +
           " THEN ($1::text[])[" + std::to_string(i + 1) + "] END";
  }
  return out.empty() ? "NULL" : out;
}

std::string digest(const Target& target, std::string_view from) {
  return "md5(ROW(" + list_of(names_of(target.columns), from) + ")::text)";
}

}  // namespace

TableComparison::TableComparison(Connection& connection, const Target& target,
                                 tables::KeyRange range, const Call& call)
    : connection_(connection),
      target_(target),
      range_(std::move(range)),
      stage_(connection, stage_name, target, call) {
  const auto& key = target.table.key;
  const std::string keys = qualified("pg_temp", keys_name);
  run_once(connection, "DROP TABLE IF EXISTS " + keys, call);
  run_once(
      connection,
      "CREATE TEMPORARY TABLE " + quote_identifier(keys_name) +
          (key.empty() ? " (digest text)"
                       : " AS SELECT " + list_of(key) + " FROM " +
                             qualified(connection.schema(), target.table.name) + " WITH NO DATA"),
      call);
}

void TableComparison::add(const tables::Batch& batch, const Call& call) {
  TableTransaction transaction(connection_, call);
  find_by_index(connection_, call);
  std::string rest;
  const auto missing = [this](std::string_view, const RowFailure& failure) {
    ++found_.missing;
    if (found_.examples.size() >= most_examples) return;
    found_.examples.push_back("missing (not a row of the target: SQLSTATE " + failure.code + ")");
  };
  load_rows(connection_, stage_, batch.lines, rest, missing, call);
  if (!target_.table.key.empty()) compare(call);
  remember(call);
  transaction.commit(call);
}

void TableComparison::compare(const Call& call) {
  const Result counts = run_once(connection_, text(sql::tables_compare), call);
  const auto missing = static_cast<std::uint64_t>(counts.integer(0, 0));
  const auto different = static_cast<std::uint64_t>(counts.integer(0, 1));
  found_.missing += missing;
  found_.different += different;
  found_.newer += static_cast<std::uint64_t>(counts.integer(0, 2));
  if (missing + different == 0 || found_.examples.size() >= most_examples) return;
  const auto columns = names_of(target_.columns);  // keys too: equal ones may be other texts
  Parameters parameters;
  parameters.text_array(columns).integer(static_cast<int>(most_examples - found_.examples.size()));
  const Result rows =
      run_once(connection_, text(sql::tables_compare_examples), std::move(parameters), call);
  for (std::size_t row = 0; row < rows.size(); ++row) found_.examples.push_back(rows.text(row, 0));
}

void TableComparison::remember(const Call& call) {
  const auto& key = target_.table.key;
  run_once(connection_,
           "INSERT INTO " + qualified("pg_temp", keys_name) + " SELECT " +
               (key.empty() ? digest(target_, "s.") : list_of(key, "s.")) + " FROM " +
               stage_.name() + " AS s",
           call);
}

tables::Differences TableComparison::finish(const Call& call) {
  run_once(connection_, "ANALYZE " + qualified("pg_temp", keys_name), call);
  if (target_.table.key.empty()) {
    count_by_digest(call);
  } else {
    count_extra(call);
  }
  return found_;
}

void TableComparison::count_extra(const Call& call) {
  Parameters parameters;
  const std::string inside = lies_in(target_.table, range_, 0, parameters);
  const Result counts =
      run_once(connection_, text(sql::tables_compare_extra, inside), std::move(parameters), call);
  found_.extra += static_cast<std::uint64_t>(counts.integer(0, 0));
  if (found_.extra == 0 || found_.examples.size() >= most_examples) return;
  Parameters more;
  more.integer(static_cast<int>(most_examples - found_.examples.size()));
  const std::string inside_too = lies_in(target_.table, range_, 1, more);
  const Result rows = run_once(connection_, text(sql::tables_compare_extra_examples, inside_too),
                               std::move(more), call);
  for (std::size_t row = 0; row < rows.size(); ++row) found_.examples.push_back(rows.text(row, 0));
}

void TableComparison::count_by_digest(const Call& call) {
  const Result counts = run_once(connection_, text(sql::tables_compare_digests), call);
  found_.missing += static_cast<std::uint64_t>(counts.integer(0, 0));
  found_.extra += static_cast<std::uint64_t>(counts.integer(0, 1));
}

std::string TableComparison::text(std::string_view sql, const std::string& inside) const {
  const auto& key = target_.table.key;
  const auto columns = names_of(target_.columns);  // keys too: equal ones may be other texts
  const std::string absent =
      key.empty() ? "false" : "t." + quote_identifier(key.front()) + " IS NULL";
  return compose(sql, {{"{stage}", stage_.name()},
                       {"{keys}", qualified("pg_temp", keys_name)},
                       {"{rows}", rows_of(connection_.schema(), target_.table)},
                       {"{match}", match(key, "t.", "s.")},
                       {"{inside}", inside},
                       {"{absent}", absent},
                       {"{newer}", is_newer(target_, "s.")},
                       {"{differs}", differ(target_.table, columns, "t.", "s.")},
                       {"{differing}", differing(target_, columns)},
                       {"{key}", list_of(key, "s.")},
                       {"{key_text}", key_text(key, "s.")},
                       {"{target_key_text}", key_text(key, "t.")},
                       {"{target_digest}", digest(target_, "t.")}});
}

}  // namespace threadkeep::postgres
