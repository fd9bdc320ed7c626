// SPDX-License-Identifier: Apache-2.0
#include "table_describe.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "postgres/sql.hpp"
#include "table_session.hpp"

namespace threadkeep::postgres {

namespace {

using tables::Column;
using tables::ForeignKey;
using tables::Identity;
using tables::Kind;
using tables::Table;

struct NamedKind {
  std::string_view type;
  Kind kind;
};

constexpr std::array<NamedKind, 19> server_kinds = {{
    {"bool", Kind::boolean},        {"int2", Kind::integer},
    {"int4", Kind::integer},        {"int8", Kind::integer},
    {"float4", Kind::floating},     {"float8", Kind::floating},
    {"numeric", Kind::numeric},     {"text", Kind::text},
    {"varchar", Kind::text},        {"bpchar", Kind::text},
    {"name", Kind::text},           {"json", Kind::json},
    {"jsonb", Kind::json},          {"bytea", Kind::bytes},
    {"timestamp", Kind::timestamp}, {"timestamptz", Kind::timestamp_with_zone},
    {"date", Kind::date},           {"time", Kind::time},
    {"uuid", Kind::uuid},
}};

constexpr std::array<NamedKind, 3> extension_kinds = {{
    {"citext", Kind::text},
    {"vector", Kind::vector},
    {"halfvec", Kind::vector},
}};

template <std::size_t size>
Kind find_kind(const std::array<NamedKind, size>& kinds, std::string_view type) noexcept {
  const auto* found = std::find_if(kinds.begin(), kinds.end(),
                                   [&](const NamedKind& each) { return each.type == type; });
  return found == kinds.end() ? Kind::other : found->kind;
}

Identity identity_of(std::string_view letter) noexcept {
  if (letter == "a") return Identity::always;
  return letter == "d" ? Identity::by_default : Identity::none;
}

Column column_of(const Result& rows, std::size_t row) {
  Column column;
  column.name = rows.text(row, 3);
  column.type = rows.text(row, 4);
  const std::string base = rows.text(row, 5);
  column.kind =
      rows.boolean(row, 6) ? find_kind(server_kinds, base) : find_kind(extension_kinds, base);
  const auto modifier = rows.integer(row, 7);
  if (column.kind == Kind::vector && modifier > 0) column.dimensions = static_cast<int>(modifier);
  column.nullable = rows.boolean(row, 8);
  column.generated = rows.boolean(row, 9);
  column.identity = identity_of(rows.view(row, 10));
  column.has_default = rows.boolean(row, 11);
  return column;
}

std::vector<Table> tables_of(const Result& rows) {
  std::vector<Table> tables;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (tables.empty() || tables.back().name != rows.view(row, 0)) {
      Table& table = tables.emplace_back();
      table.name = rows.text(row, 0);
      table.partitioned = rows.boolean(row, 1);
      table.estimated_bytes = static_cast<std::uint64_t>(rows.integer(row, 2));
    }
    if (!rows.is_null(row, 3)) tables.back().columns.push_back(column_of(rows, row));
  }
  return tables;
}

Table* find_table(std::vector<Table>& tables, std::string_view name) noexcept {
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const Table& table) { return table.name == name; });
  return found == tables.end() ? nullptr : &*found;
}

void add_keys(std::vector<Table>& tables, const Result& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Table* table = find_table(tables, rows.view(row, 0));
    if (!table) continue;
    auto columns = texts_of(rows.text(row, 1));
    if (table->key.empty() && rows.boolean(row, 2)) {
      table->key = std::move(columns);
    } else {
      table->other_keys.push_back(std::move(columns));
    }
  }
}

void add_foreign_keys(std::vector<Table>& tables, const Result& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Table* table = find_table(tables, rows.view(row, 1));
    if (!table) continue;
    ForeignKey key;
    key.name = rows.text(row, 3);
    key.same_schema = rows.boolean(row, 6);
    key.target = (key.same_schema ? "" : rows.text(row, 4) + ".") + rows.text(row, 5);
    key.deferrable = rows.boolean(row, 7);
    key.columns = texts_of(rows.text(row, 8));
    key.target_columns = texts_of(rows.text(row, 9));
    table->foreign_keys.push_back(std::move(key));
  }
}

Result ask(Connection& connection, std::string_view sql, const Call& call) {
  Parameters parameters;
  parameters.text(connection.schema());
  return run_once(connection, std::string(sql), std::move(parameters), call);
}

}  // namespace

Result ask_for_foreign_keys(Connection& connection, const std::optional<std::string>& target,
                            const Call& call) {
  Parameters parameters;
  parameters.text(connection.schema()).text(target);
  return run_once(connection, std::string(sql::tables_foreign_keys), std::move(parameters), call);
}

tables::Schema describe_tables(Connection& connection, const Call& call) {
  tables::Schema schema;
  schema.name = connection.schema();
  schema.tables = tables_of(ask(connection, sql::tables_columns, call));
  add_keys(schema.tables, ask(connection, sql::tables_keys, call));
  add_foreign_keys(schema.tables, ask_for_foreign_keys(connection, {}, call));
  const Result others = ask(connection, sql::tables_left_out, call);
  for (std::size_t row = 0; row < others.size(); ++row) {
    schema.left_out.push_back({others.text(row, 0), others.text(row, 1)});
  }
  return schema;
}

}  // namespace threadkeep::postgres
