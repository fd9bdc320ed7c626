// SPDX-License-Identifier: Apache-2.0
#include "catalog.hpp"

#include <algorithm>
#include <array>

#include "postgres/sql.hpp"
#include "template.hpp"

namespace threadkeep::postgres {

namespace {

template <typename Items>
auto find_named(const Items& items, std::string_view name) noexcept -> decltype(items.data()) {
  for (const auto& item : items) {
    if (item.name == name) return &item;
  }
  return nullptr;
}

void read_schema(const Result& rows, Catalog& catalog) {
  if (rows.empty()) throw Error(Code::internal, "the server does not know its own database");
  catalog.database = rows.text(0, 0);
  catalog.role = rows.text(0, 1);
  catalog.encoding = rows.text(0, 2);
  catalog.read_only = rows.boolean(0, 3);
  catalog.schema_exists = rows.boolean(0, 4);
  catalog.may_use_schema = rows.boolean(0, 5);
  catalog.may_create = rows.boolean(0, 6);
}

// Rows come table by table.
void read_columns(const Result& rows, Catalog& catalog) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::string table = rows.text(row, 0);
    if (catalog.tables.empty() || catalog.tables.back().name != table) {
      catalog.tables.push_back({.name = table,
                                .kind = rows.text(row, 1),
                                .may_select = rows.boolean(row, 2),
                                .key_columns = static_cast<int>(rows.integer(row, 8)),
                                .columns = {}});
    }
    catalog.tables.back().columns.push_back({.name = rows.text(row, 3),
                                             .type = rows.text(row, 4),
                                             .not_null = rows.boolean(row, 5),
                                             .needs_value = rows.boolean(row, 6),
                                             .in_key = rows.boolean(row, 7),
                                             .bytewise = rows.boolean(row, 9)});
  }
}

void read_indexes(const Result& rows, Catalog& catalog) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    catalog.indexes.push_back({.name = rows.text(row, 0),
                               .valid = rows.boolean(row, 1),
                               .table = rows.text(row, 2),
                               .shape = rows.text(row, 3)});
  }
}

void read_ledger(const Result& rows, Catalog& catalog) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    catalog.ledger.push_back({.version = static_cast<int>(rows.integer(row, 0)),
                              .name = rows.text(row, 1),
                              .checksum = rows.text(row, 2),
                              .oldest_reader = static_cast<int>(rows.integer(row, 3)),
                              .tool_version = rows.text(row, 4),
                              .finished = rows.boolean(row, 5)});
  }
}

bool may_read(const Catalog& catalog, std::string_view table) {
  const auto* found = catalog.find(table);
  return catalog.may_use_schema && found && found->may_select;
}

std::string in_schema(std::string_view text, const Catalog& catalog) {
  Layout layout;
  layout.schema = catalog.schema;
  return render(text, layout);
}

// A table of this name that has not these columns is not LangGraph's.
bool has_versions(const Catalog& catalog) {
  return may_read(catalog, "checkpoint_migrations") &&
         catalog.find("checkpoint_migrations")->find("v") != nullptr;
}

Request about_schema(const Statement& statement, const Catalog& catalog) {
  Request request{&statement, {}, true};
  request.parameters.text(catalog.schema);
  return request;
}

// Looks at the tables again behind the versions: another program may have made tables in between,
// and must not seem to have lost those of the version that it has reached.
void read_versions(Connection& connection, Catalog& catalog, const Call& call) {
  const Statement langgraph(in_schema(sql::catalog_langgraph_version, catalog));
  const Statement ledger(in_schema(sql::catalog_ledger, catalog));
  const Statement columns{std::string(sql::catalog_columns)};
  const bool has_langgraph = has_versions(catalog);
  const bool has_ledger = may_read(catalog, "threadkeep_migrations");
  if (!has_langgraph && !has_ledger) return;
  std::vector<Request> requests;
  if (has_langgraph) requests.push_back({&langgraph, {}, true});
  if (has_ledger) requests.push_back({&ledger, {}, true});
  requests.push_back(about_schema(columns, catalog));
  const auto results = connection.run(requests, Effect::none, call);
  if (has_langgraph) catalog.langgraph_version = static_cast<int>(results.front().integer(0, 0));
  if (has_ledger) read_ledger(results[results.size() - 2], catalog);
  catalog.tables.clear();
  read_columns(results.back(), catalog);
}

}  // namespace

const Catalog::Column* Catalog::Table::find(std::string_view column) const noexcept {
  return find_named(columns, column);
}

const Catalog::Table* Catalog::find(std::string_view table) const noexcept {
  return find_named(tables, table);
}

const Catalog::Index* Catalog::find_index(std::string_view index) const noexcept {
  return find_named(indexes, index);
}

const Catalog::Entry* Catalog::find_entry(int version) const noexcept {
  const auto found = std::find_if(ledger.begin(), ledger.end(),
                                  [&](const Entry& entry) { return entry.version == version; });
  return found == ledger.end() ? nullptr : &*found;
}

Catalog read_catalog(Connection& connection, const Call& call) {
  const std::array<Statement, 3> statements = {Statement(std::string(sql::catalog_schema)),
                                               Statement(std::string(sql::catalog_columns)),
                                               Statement(std::string(sql::catalog_indexes))};
  Catalog catalog;
  catalog.schema = connection.schema();
  std::vector<Request> requests;
  requests.reserve(statements.size());
  for (const Statement& statement : statements) {
    requests.push_back(about_schema(statement, catalog));
  }
  const auto results = connection.run(requests, Effect::none, call);
  read_schema(results[0], catalog);
  read_columns(results[1], catalog);
  read_indexes(results[2], catalog);
  read_versions(connection, catalog, call);
  return catalog;
}

}  // namespace threadkeep::postgres
