// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connection.hpp"

namespace threadkeep::postgres {

/// What the server's catalogs say of one schema, as far as threadkeep's tables and LangGraph's
/// need it: facts only, judged elsewhere (layout.hpp, ledger.hpp, setup.hpp).
struct Catalog {
  struct Column {
    std::string name;
    std::string type;  ///< As the server writes it: "text", "jsonb".
    bool not_null = false;
    bool needs_value = false;  ///< An insert has to name it.
    bool in_key = false;       ///< Of the primary key.
    bool bytewise = false;     ///< Texts are ordered by their bytes.
  };
  struct Table {
    std::string name;
    std::string kind;  ///< pg_class.relkind
    bool may_select = false;
    int key_columns = 0;
    std::vector<Column> columns;

    const Column* find(std::string_view column) const noexcept;
  };
  struct Index {
    std::string name;
    bool valid = false;
    std::string table;
    std::string shape;  ///< Keys, collations and predicate, see catalog_indexes.sql.
  };
  /// A row of threadkeep_migrations.
  struct Entry {
    int version = 0;
    std::string name;
    std::string checksum;
    int oldest_reader = 0;
    std::string tool_version;
    bool finished = false;
  };

  std::string schema;  ///< Not quoted; empty when the search path names none that exists.
  std::string database;
  std::string role;
  std::string encoding;
  bool read_only = false;  ///< A standby, or transactions that are read-only by default.
  bool schema_exists = false;
  bool may_use_schema = false;
  bool may_create = false;  ///< Tables in the schema, or the schema where it is missing.
  std::vector<Table> tables;
  std::vector<Index> indexes;
  std::vector<Entry> ledger;
  int langgraph_version = -1;  ///< Greatest v of checkpoint_migrations; -1 where it is not known.

  const Table* find(std::string_view table) const noexcept;
  const Index* find_index(std::string_view index) const noexcept;
  const Entry* find_entry(int version) const noexcept;
};

/// Reads the catalogs in one round trip, and in a second one the two records of versions, if they
/// exist and may be read. Changes nothing, locks nothing.
Catalog read_catalog(Connection& connection, const Call& call);

}  // namespace threadkeep::postgres
