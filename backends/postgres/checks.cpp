// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger.hpp"
#include "template.hpp"

namespace threadkeep::postgres {

namespace {

struct ExpectedColumn {
  std::string_view name;
  std::string_view type;
  bool in_key = false;
  bool optional = false;  ///< Older versions have not got it.
};

struct ExpectedTable {
  std::string_view name;
  std::vector<ExpectedColumn> columns;
};

constexpr std::size_t longest_identifier = 63;  // NAMEDATALEN - 1, in bytes

const std::array<ExpectedTable, 10>& expected_tables() {
  static const std::array<ExpectedTable, 10> all = {{
      {"checkpoints",
       {{"thread_id", "text", true},
        {"checkpoint_ns", "text", true},
        {"checkpoint_id", "text", true},
        {"parent_checkpoint_id", "text"},
        {"checkpoint", "jsonb"},
        {"metadata", "jsonb"}}},
      {"checkpoint_blobs",
       {{"thread_id", "text", true},
        {"checkpoint_ns", "text", true},
        {"channel", "text", true},
        {"version", "text", true},
        {"type", "text"},
        {"blob", "bytea"}}},
      {"checkpoint_writes",
       {{"thread_id", "text", true},
        {"checkpoint_ns", "text", true},
        {"checkpoint_id", "text", true},
        {"task_id", "text", true},
        {"idx", "integer", true},
        {"channel", "text"},
        {"type", "text"},
        {"blob", "bytea"},
        {"task_path", "text", false, true}}},
      {"threadkeep_threads",
       {{"thread_id", "text", true},
        {"created_at", "timestamp with time zone"},
        {"updated_at", "timestamp with time zone"},
        {"revision", "bigint"},
        {"metadata", "jsonb"}}},
      {"threadkeep_tombstones",
       {{"thread_id", "text", true},
        {"checkpoint_id", "text"},
        {"deleted_at", "timestamp with time zone", false, true}}},
      {"threadkeep_streams",
       {{"thread_id", "text", true}, {"stream", "text", true}, {"last_seq", "bigint"}}},
      {"threadkeep_messages",
       {{"thread_id", "text", true},
        {"stream", "text", true},
        {"seq", "bigint", true},
        {"id", "text"},
        {"role", "text"},
        {"created_at", "timestamp with time zone"},
        {"version", "bigint"},
        {"metadata", "text"},
        {"content", "text"}}},
      {"threadkeep_state",
       {{"thread_id", "text", true},
        {"key", "text", true},
        {"version", "bigint"},
        {"value_hash", "bigint"},
        {"value", "text"}}},
      {"threadkeep_scopes",
       {{"scope", "text", true},
        {"key", "text", true},
        {"version", "bigint"},
        {"value_hash", "bigint"},
        {"value", "text"}}},
      {"threadkeep_operations",
       {{"thread_id", "text", true},
        {"operation_id", "text", true},
        {"fingerprint", "bigint"},
        {"revision", "bigint"},
        {"result", "text"}}},
  }};
  return all;
}

// With the version of LangGraph's that makes each.
constexpr std::array<std::pair<int, std::string_view>, 3> langgraph_tables = {
    {{1, "checkpoints"}, {2, "checkpoint_blobs"}, {3, "checkpoint_writes"}}};

std::string qualified(const Catalog& catalog, std::string_view table) {
  return quote_identifier(catalog.schema) + "." + std::string(table);
}

Error misfit(const Catalog& catalog, std::string_view table, const std::string& what) {
  return Error(Code::unsupported, qualified(catalog, table) +
                                      " is not the table that LangGraph's Postgres saver and "
                                      "threadkeep share: " +
                                      what + "; name another schema with ?schema=NAME");
}

void check_column(const Catalog& catalog, const Catalog::Table& table,
                  const ExpectedColumn& expected) {
  const auto* column = table.find(expected.name);
  const std::string name = "its column " + std::string(expected.name);
  if (!column && expected.optional) return;
  if (!column) throw misfit(catalog, table.name, name + " is missing");
  if (column->type != expected.type) {
    throw misfit(catalog, table.name,
                 name + " has type " + column->type + " and not " + std::string(expected.type));
  }
  if (column->in_key != expected.in_key) {
    throw misfit(catalog, table.name,
                 name + (expected.in_key ? " is not part" : " is part") + " of its primary key");
  }
}

// A column that an insert would have to fill, and that nobody told us of.
void check_unknown_columns(const Catalog& catalog, const Catalog::Table& table,
                           const ExpectedTable& expected) {
  for (const auto& column : table.columns) {
    const bool known = std::any_of(expected.columns.begin(), expected.columns.end(),
                                   [&](const auto& c) { return c.name == column.name; });
    if (known || !column.needs_value) continue;
    throw misfit(catalog, table.name,
                 "its column " + column.name + " is unknown here and has no default");
  }
}

void check_table(const Catalog& catalog, const ExpectedTable& expected) {
  const auto* table = catalog.find(expected.name);
  if (!table) return;
  if (table->kind != "r" && table->kind != "p")
    throw misfit(catalog, expected.name, "it is a view");
  for (const auto& column : expected.columns) check_column(catalog, *table, column);
  check_unknown_columns(catalog, *table, expected);
  const auto keys = std::count_if(expected.columns.begin(), expected.columns.end(),
                                  [](const auto& column) { return column.in_key; });
  if (table->key_columns != keys)
    throw misfit(catalog, expected.name, "its primary key is another");
}

// LangGraph's shallow savers use the same names for tables that hold one checkpoint per thread.
void check_not_shallow(const Catalog& catalog) {
  const auto* table = catalog.find("checkpoints");
  const auto* id = table ? table->find("checkpoint_id") : nullptr;
  const auto* thread = table ? table->find("thread_id") : nullptr;
  if (id || !thread || !thread->in_key || table->key_columns != 2) return;
  throw misfit(catalog, "checkpoints",
               "it is one of LangGraph's shallow saver, which keeps one "
               "checkpoint for each thread");
}

// Of those that LangGraph's setup() has made when it has reached a version.
std::string missing_tables(const Catalog& catalog, int reached) {
  std::string names;
  for (const auto& [version, table] : langgraph_tables) {
    if (version > reached || catalog.find(table)) continue;
    names += (names.empty() ? "" : ", ") + std::string(table);
  }
  return names;
}

}  // namespace

bool is_fresh(const Catalog& catalog) {
  return std::none_of(langgraph_tables.begin(), langgraph_tables.end(),
                      [&](const auto& made) { return catalog.find(made.second) != nullptr; }) &&
         !catalog.find("checkpoint_migrations");
}

bool is_partial(const Catalog& catalog) {
  return !is_fresh(catalog) && !missing_tables(catalog, known_langgraph_version).empty();
}

void check_schema(const Catalog& catalog) {
  if (catalog.schema.empty()) {
    throw Error(Code::invalid_argument, "no schema of the search path of role " +
                                            quote_identifier(catalog.role) +
                                            " exists; name one with ?schema=NAME");
  }
  if (catalog.schema.size() > longest_identifier) {
    throw Error(Code::invalid_argument,
                "schema " + quote_identifier(catalog.schema) + ": a name has at most 63 bytes");
  }
  if (catalog.encoding != "UTF8") {
    throw Error(Code::unsupported, "database " + quote_identifier(catalog.database) +
                                       " has the encoding " + catalog.encoding +
                                       ", and threadkeep needs UTF8");
  }
  if (catalog.schema_exists && !catalog.may_use_schema) {
    throw lacks_rights(catalog, "use schema " + quote_identifier(catalog.schema) + " (USAGE)");
  }
}

void check_columns(const Catalog& catalog) {
  check_not_shallow(catalog);
  for (const auto& expected : expected_tables()) check_table(catalog, expected);
}

void check_none_gone(const Catalog& catalog) {
  const std::string gone = missing_tables(catalog, catalog.langgraph_version);
  if (gone.empty()) return;
  throw Error(Code::corrupt, "schema " + quote_identifier(catalog.schema) +
                                 " has lost tables: its checkpoint_migrations is at version " +
                                 std::to_string(catalog.langgraph_version) + ", and it has not " +
                                 gone + "; restore them, or name another schema with ?schema=NAME");
}

void check_ledger(const Catalog& catalog) {
  const auto* table = catalog.find("threadkeep_migrations");
  if (table && !table->may_select) {
    throw lacks_rights(catalog, "read " + qualified(catalog, table->name) + " (SELECT)");
  }
  if (const auto refusal = judge_ledger(catalog).refusal) throw *refusal;
}

Error lacks_rights(const Catalog& catalog, const std::string& what) {
  return Error(Code::denied,
               "role " + quote_identifier(catalog.role) + " may not " + what +
                   "; let an owner run what `threadkeep setup --print-sql` prints, and for the "
                   "rights of a role `threadkeep setup --print-sql --role app --grantee NAME`");
}

}  // namespace threadkeep::postgres
