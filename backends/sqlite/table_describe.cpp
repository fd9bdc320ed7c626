// SPDX-License-Identifier: Apache-2.0
#include "table_describe.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "table_sql.hpp"

namespace threadkeep::sqlite {

namespace {

using tables::Column;
using tables::ForeignKey;
using tables::Table;

// What `PRAGMA table_list` says.
struct Entry {
  std::string name;
  std::string type;
  bool without_rowid = false;
};

struct Index {
  std::string name;
  bool primary = false;
  std::vector<std::string> columns{};
  std::vector<std::string> collations{};
};

// A column and its place in the primary key, from 1; 0 when it has none.
struct FoundColumn {
  Column column{};
  std::int64_t key_place = 0;
};

constexpr std::array store_tables = {"checkpoints", "checkpoint_blobs", "checkpoint_writes",
                                     "checkpoint_migrations"};

bool is_of_a_store(const std::string& name, bool has_store) {
  const std::string lower = to_lower(name);
  if (lower.starts_with("threadkeep_")) return true;
  return has_store &&
         std::find(store_tables.begin(), store_tables.end(), lower) != store_tables.end();
}

std::vector<Entry> entries_of(Connection& connection) {
  std::vector<Entry> entries;
  Rows rows = connection.query(
      "SELECT name, type, wr FROM pragma_table_list "
      "WHERE schema = 'main' AND name NOT GLOB 'sqlite_*' ORDER BY name");
  while (rows.next()) entries.push_back({rows.text(0), rows.text(1), rows.integer(2) != 0});
  const bool has_store = std::any_of(entries.begin(), entries.end(), [](const Entry& each) {
    return each.name == "threadkeep_threads";
  });
  std::erase_if(entries, [&](const Entry& each) { return is_of_a_store(each.name, has_store); });
  return entries;
}

// Columns of a key in their order. Hidden columns of virtual tables are not asked for.
std::vector<FoundColumn> columns_of(Connection& connection, const std::string& table) {
  std::vector<FoundColumn> columns;
  Rows rows = connection.query(
      "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden "
      "FROM pragma_table_xinfo(?1, 'main') ORDER BY cid",
      table);
  while (rows.next()) {
    FoundColumn found{.key_place = rows.integer(4)};
    Column& column = found.column;
    column.name = rows.text(0);
    column.type = rows.text(1);
    column.kind = kind_of(column.type);
    column.dimensions = dimensions_of(column.type);
    column.nullable = rows.integer(2) == 0;
    column.has_default = rows.integer(3) != 0;
    column.generated = rows.integer(5) >= 2;
    columns.push_back(std::move(found));
  }
  return columns;
}

void read_columns(Connection& connection, Index& index, bool& usable) {
  Rows rows = connection.query(
      "SELECT name, coll FROM pragma_index_xinfo(?1, 'main') WHERE key ORDER BY seqno", index.name);
  while (rows.next()) {
    if (!rows.optional_text(0)) usable = false;  // An expression.
    index.columns.push_back(rows.text(0));
    index.collations.push_back(rows.text(1));
  }
}

// Unique indexes over all rows and plain columns, the primary key's first.
std::vector<Index> unique_indexes_of(Connection& connection, const std::string& table) {
  std::vector<Index> indexes;
  {
    Rows rows = connection.query(
        "SELECT name, origin = 'pk' FROM pragma_index_list(?1, 'main') "
        "WHERE \"unique\" AND NOT partial ORDER BY origin = 'pk' DESC, seq DESC",
        table);
    while (rows.next()) {
      indexes.push_back({.name = rows.text(0), .primary = rows.integer(1) != 0});
    }
  }
  std::vector<Index> usable_indexes;
  usable_indexes.reserve(indexes.size());
  for (Index& index : indexes) {
    bool usable = true;
    read_columns(connection, index, usable);
    if (usable) usable_indexes.push_back(std::move(index));
  }
  return usable_indexes;
}

// INTEGER PRIMARY KEY is the rowid: it alone has no index of its own, and is never NULL.
FoundColumn* rowid_column(std::vector<FoundColumn>& columns, const std::vector<Index>& indexes,
                          bool without_rowid) {
  if (without_rowid) return nullptr;
  if (!indexes.empty() && indexes.front().primary) return nullptr;
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [](const FoundColumn& each) { return each.key_place == 1; });
  return found == columns.end() ? nullptr : &*found;
}

Column* find_column(std::vector<FoundColumn>& columns, const std::string& name) {
  for (FoundColumn& each : columns) {
    if (each.column.name == name) return &each.column;
  }
  return nullptr;
}

bool holds_null(Connection& connection, const std::string& table, const std::string& column) {
  Rows rows = connection.query("SELECT EXISTS (SELECT 1 FROM main." + quote_identifier(table) +
                               " WHERE " + quote_identifier(column) + " IS NULL)");
  rows.next();
  return rows.integer(0) != 0;
}

// Primary keys are seldom declared NOT NULL, which SQLite does not take from PRIMARY KEY, and
// seldom hold a NULL. So the rows decide.
bool can_be_key(Connection& connection, const std::string& table, const Index& index,
                std::vector<FoundColumn>& columns) {
  for (const auto& name : index.columns) {
    const Column* column = find_column(columns, name);
    if (!column || column->generated) return false;
    if (!column->nullable) continue;
    if (!index.primary || holds_null(connection, table, name)) return false;
  }
  return true;
}

void choose_key(Connection& connection, const Entry& entry, std::vector<FoundColumn>& columns,
                Table& table) {
  const std::vector<Index> indexes = unique_indexes_of(connection, entry.name);
  if (FoundColumn* rowid = rowid_column(columns, indexes, entry.without_rowid)) {
    rowid->column.nullable = false;
    rowid->column.has_default = true;
    if (connection.is_autoincrement(entry.name, rowid->column.name)) {
      rowid->column.identity = tables::Identity::by_default;
    }
    table.key = {rowid->column.name};
  }
  for (const Index& index : indexes) {
    if (table.key.empty() && can_be_key(connection, entry.name, index, columns)) {
      table.key = index.columns;
      for (const auto& name : table.key) find_column(columns, name)->nullable = false;
    } else {
      table.other_keys.push_back(index.columns);
    }
  }
}

std::string actual_table(Connection& connection, const std::string& name) {
  Rows rows = connection.query(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?1)", name);
  return rows.next() ? rows.text(0) : name;
}

std::string actual_column(Connection& connection, const std::string& table,
                          const std::string& name) {
  Rows rows = connection.query(
      "SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE lower(name) = lower(?2)", table, name);
  return rows.next() ? rows.text(0) : name;
}

std::vector<std::string> primary_key_of(Connection& connection, const std::string& table) {
  std::vector<std::string> names;
  Rows rows = connection.query(
      "SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE pk > 0 ORDER BY pk", table);
  while (rows.next()) names.push_back(rows.text(0));
  return names;
}

struct Reference {
  std::int64_t id = 0;
  std::string target;
  std::string from;
  std::optional<std::string> to;  // Absent: the primary key's.
};

std::vector<Reference> references_of(Connection& connection, const std::string& table) {
  std::vector<Reference> references;
  Rows rows = connection.query(
      "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1, 'main') "
      "ORDER BY id DESC, seq",
      table);
  while (rows.next()) {
    references.push_back({rows.integer(0), rows.text(1), rows.text(2), rows.optional_text(3)});
  }
  return references;
}

// The names as they were declared, whatever the reference writes.
void settle_names(Connection& connection, const std::string& table, ForeignKey& key) {
  for (auto& name : key.columns) name = actual_column(connection, table, name);
  key.target = actual_table(connection, key.target);
  if (key.target_columns.empty()) key.target_columns = primary_key_of(connection, key.target);
  for (auto& name : key.target_columns) name = actual_column(connection, key.target, name);
}

Table read_table(Connection& connection, const Entry& entry) {
  Table table;
  table.name = entry.name;
  auto columns = columns_of(connection, entry.name);
  choose_key(connection, entry, columns, table);
  table.columns.reserve(columns.size());
  for (FoundColumn& each : columns) table.columns.push_back(std::move(each.column));
  for (auto& [id, key] : foreign_keys_of(connection, entry.name)) {
    table.foreign_keys.push_back(std::move(key));
  }
  return table;
}

// Of the virtual tables that applications use: what their modules add to the name. Where a module
// is not loaded, SQLite does not know these tables for what they are.
constexpr std::array shadow_endings = {
    "_data", "_idx",    "_content", "_docsize", "_config", "_segments", "_segdir", "_stat",
    "_node", "_parent", "_rowid",   "_chunks",  "_rowids", "_info",     "_vocab",  "_auxiliary"};
constexpr std::array numbered_shadow_endings = {"_vector_chunks", "_metadatachunks",
                                                "_metadatatext"};

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_shadow_of(const std::string& table, const std::string& virtual_table) {
  if (!table.starts_with(virtual_table)) return false;
  const std::string_view ending = std::string_view(table).substr(virtual_table.size());
  const auto equals = [&](std::string_view known) { return ending == known; };
  const auto begins = [&](std::string_view known) {
    return ending.starts_with(known) && is_number(ending.substr(known.size()));
  };
  return std::any_of(shadow_endings.begin(), shadow_endings.end(), equals) ||
         std::any_of(numbered_shadow_endings.begin(), numbered_shadow_endings.end(), begins);
}

// SQLite knows the shadow tables of a virtual table whose module is loaded.
bool has_known_shadows(const std::vector<Entry>& entries, const std::string& virtual_table) {
  return std::any_of(entries.begin(), entries.end(), [&](const Entry& each) {
    return each.type == "shadow" && is_shadow_of(each.name, virtual_table);
  });
}

std::string owner_of_shadow(const std::vector<Entry>& entries, const Entry& entry) {
  for (const Entry& other : entries) {
    if (other.type != "virtual" || !is_shadow_of(entry.name, other.name)) continue;
    if (entry.type == "shadow" || !has_known_shadows(entries, other.name)) return other.name;
  }
  return {};
}

std::string reason_to_leave_out(const std::vector<Entry>& entries, const Entry& entry) {
  if (entry.type == "view") return "a view";
  if (entry.type == "virtual") return "a virtual table: make and fill it again in the target";
  const std::string owner = owner_of_shadow(entries, entry);
  if (!owner.empty()) return "belongs to the virtual table \"" + owner + "\"";
  return entry.type == "table" ? "" : "a " + entry.type + " table";
}

// The name of the rowid that no column hides; empty when all are hidden.
std::string rowid_name(const Table& table) {
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    const bool hidden =
        std::any_of(table.columns.begin(), table.columns.end(),
                    [&](const Column& column) { return to_lower(column.name) == name; });
    if (!hidden) return name;
  }
  return {};
}

bool is_known_collation(const std::string& name) {
  const std::string lower = to_lower(name);
  return lower == "binary" || lower == "nocase" || lower == "rtrim";
}

std::vector<std::string> collations_of(Connection& connection, const Table& table) {
  for (const Index& index : unique_indexes_of(connection, table.name)) {
    if (index.columns == table.key) return index.collations;
  }
  return {};
}

}  // namespace

std::vector<NumberedForeignKey> foreign_keys_of(Connection& connection, const std::string& table) {
  std::vector<NumberedForeignKey> keys;
  for (Reference& reference : references_of(connection, table)) {
    if (keys.empty() || keys.back().id != reference.id) {
      keys.emplace_back().id = reference.id;
      keys.back().key.target = reference.target;
      keys.back().key.deferrable = true;  // PRAGMA defer_foreign_keys defers all of them.
    }
    ForeignKey& key = keys.back().key;
    key.columns.push_back(std::move(reference.from));
    if (reference.to) key.target_columns.push_back(std::move(*reference.to));
  }
  for (auto& [id, key] : keys) settle_names(connection, table, key);
  return keys;
}

tables::Schema describe(Connection& connection) {
  tables::Schema schema;
  schema.name = "main";
  const std::vector<Entry> entries = entries_of(connection);
  for (const Entry& entry : entries) {
    std::string reason = reason_to_leave_out(entries, entry);
    if (!reason.empty()) {
      schema.left_out.push_back({entry.name, std::move(reason)});
      continue;
    }
    Table table = read_table(connection, entry);
    if (table.key.empty() && rowid_name(table).empty()) {
      schema.left_out.push_back({entry.name, "has no key, and columns that hide its rowid"});
    } else {
      schema.tables.push_back(std::move(table));
    }
  }
  return schema;
}

// An order by another collation than that of the index could take two rows for equal. Collations
// that the application registers are not known here; what they tell apart differs in its bytes.
KeyOrder key_order_of(Connection& connection, const Table& table) {
  KeyOrder order;
  if (table.key.empty()) {
    order.columns = order.terms = {rowid_name(table)};
    order.by_rowid = true;
    return order;
  }
  const std::vector<std::string> collations = collations_of(connection, table);
  for (std::size_t i = 0; i < table.key.size(); ++i) {
    const std::string column = quote_identifier(table.key[i]);
    order.columns.push_back(column);
    const bool known = i < collations.size() && is_known_collation(collations[i]);
    order.terms.push_back(
        collations.empty() ? column : column + " COLLATE " + (known ? collations[i] : "BINARY"));
  }
  return order;
}

bool is_strict(Connection& connection, const std::string& table) {
  Rows rows = connection.query(
      "SELECT strict FROM pragma_table_list WHERE schema = 'main' AND name = ?1", table);
  return rows.next() && rows.integer(0) != 0;
}

}  // namespace threadkeep::sqlite
