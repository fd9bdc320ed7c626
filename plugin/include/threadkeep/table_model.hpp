// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// \file
/// What a database says about its application tables: all that a copy to another database needs to
/// know. Plain values without behaviour.

namespace threadkeep::tables {

/// What the values of a column are, whatever an engine calls the type.
enum class Kind {
  boolean,
  integer,
  floating,
  numeric,  ///< Exact decimals.
  text,
  json,
  bytes,
  timestamp,  ///< Without a zone.
  timestamp_with_zone,
  date,
  time,
  uuid,
  vector,  ///< pgvector's vector and halfvec.
  other,   ///< Known to its own engine only: arrays, ranges, enums, inet, interval, ...
};

enum class Identity { none, by_default, always };

struct Column {
  std::string name;
  std::string type;  ///< As the engine writes it: `timestamp with time zone`, `vector(3)`, `TEXT`.
  Kind kind = Kind::other;
  bool nullable = true;
  bool generated = false;  ///< Computed from other columns: never written.
  bool has_default = false;
  Identity identity = Identity::none;
  std::optional<int> dimensions;  ///< Of a vector that has a fixed number.

  bool operator==(const Column&) const = default;
};

struct ForeignKey {
  std::string name;  ///< May be empty on SQLite.
  std::vector<std::string> columns;
  std::string target;  ///< A table of the same schema; `schema.table` for one of another.
  bool same_schema = true;
  std::vector<std::string> target_columns;  ///< In the order of `columns`.
  bool deferrable = false;

  bool operator==(const ForeignKey&) const = default;
};

/// A table, or a partitioned table as a whole (its partitions are not listed).
struct Table {
  std::string name;
  std::vector<Column> columns;  ///< In the order of the table.
  /// The columns that name one row: the primary key, else a unique key; none of them can be NULL
  /// and the key is checked at once. Empty where there is no such key.
  std::vector<std::string> key;
  std::vector<std::vector<std::string>> other_keys;  ///< Further unique keys, for messages.
  std::vector<ForeignKey> foreign_keys;
  bool partitioned = false;
  std::optional<std::uint64_t> estimated_bytes;

  /// Null when there is no such column.
  const Column* find(const std::string& column) const noexcept {
    for (const auto& each : columns) {
      if (each.name == column) return &each;
    }
    return nullptr;
  }

  bool operator==(const Table&) const = default;
};

/// Tables, views and the like that a database has and a copy leaves out.
struct LeftOut {
  std::string name;
  std::string reason;  ///< "a foreign table", "inherits from \"people\": copy it by hand"
};

struct Schema {
  std::string name;           ///< Of the schema; "main" on SQLite.
  std::vector<Table> tables;  ///< By name. Without the tables of a threadkeep store.
  std::vector<LeftOut> left_out;
};

}  // namespace threadkeep::tables
