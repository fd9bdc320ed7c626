// SPDX-License-Identifier: Apache-2.0
#include "table_row_log.hpp"

#include "table_fields.hpp"
#include "table_sql.hpp"

namespace threadkeep::sqlite {

namespace {

std::string condition(const KeyOrder& order) {
  std::vector<std::string> conditions;
  conditions.reserve(order.terms.size());
  for (const auto& term : order.terms) {
    conditions.push_back(term + " = ?" + std::to_string(conditions.size() + 1));
  }
  return join(conditions, " AND ");
}

std::vector<std::string> names_of(const tables::Table& table) {
  std::vector<std::string> names;
  names.reserve(table.columns.size());
  for (const auto& column : table.columns) names.push_back(column.name);
  return names;
}

}  // namespace

RowLog::RowLog(Connection& connection, const tables::Table& table)
    : connection_(connection),
      name_(table.name),
      order_(key_order_of(connection, table)),
      has_key_(condition(order_)),
      find_("SELECT " + list_of(names_of(table)) + " FROM main." + quote_identifier(table.name) +
            " WHERE " + has_key_),
      columns_(table.columns.size()) {}

std::optional<std::string> RowLog::content(std::span<const Value> key) {
  Rows rows = connection_.query_values(find_, key);
  if (!rows.next()) return {};
  std::vector<Value> values;
  values.reserve(columns_);
  for (std::size_t i = 0; i < columns_; ++i) values.push_back(rows.value(static_cast<int>(i)));
  return to_cursor(values);
}

void RowLog::note(const std::string& run_id, std::span<const Value> key, bool inserted) {
  const auto now = content(key);
  if (!now) return;  // A trigger has removed it.
  connection_.execute(
      "INSERT INTO main.threadkeep_tier_rows (run_id, table_name, key, inserted, content) "
      "VALUES (?1, ?2, ?3, ?4, ?5)",
      run_id, name_, to_cursor(std::vector<Value>(key.begin(), key.end())),
      std::int64_t{inserted ? 1 : 0}, *now);
}

}  // namespace threadkeep::sqlite
