// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connection.hpp"
#include "table_describe.hpp"
#include "table_fields.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::sqlite {

/// What SQLite makes of the values of a table's columns. Throws Error(invalid_argument) for a
/// column that the table does not have.
std::vector<Format> formats_of(Connection& connection, const tables::Table& table,
                               const std::vector<std::string>& columns);

/// Why a row is not taken.
struct RowFailure {
  std::string code;  ///< SQLite's name of the result.
  std::string message;
};

/// The lines of a batch as values for the columns of a target.
class RowParser {
 public:
  RowParser(Connection& connection, const tables::Target& target);

  /// Reads a line; a failure when a column cannot keep its value unchanged, or the key has a NULL.
  std::optional<RowFailure> parse(std::string_view line);
  /// Of the last line, in the order of the target's columns. Valid until the next parse().
  const std::vector<Value>& values() const noexcept { return values_; }
  const std::vector<Format>& formats() const noexcept { return formats_; }

 private:
  std::optional<RowFailure> check_key() const;

  const tables::Target& target_;
  std::vector<Format> formats_;
  std::vector<std::string_view> fields_;
  std::vector<OwnedValue> owned_;
  std::vector<Value> values_;
};

/// Pieces of statements about one row of a target, whose columns are the parameters ?1, ?2, ...
class RowSql {
 public:
  RowSql(Connection& connection, const tables::Target& target, const std::vector<Format>& formats);

  /// `?3` for the third column.
  std::string parameter(const std::string& column) const;
  /// Whether the row has another value there than the parameters, its storage class included.
  std::string differs(const std::string& column) const;
  /// Whether a key that is equal by the collation of its column is written in another way.
  std::string is_written_otherwise(const std::string& column) const;
  /// Whether the row is newer than the parameters, by the guards of the target.
  std::string newer() const;
  /// `"a" COLLATE BINARY = ?1 AND ...`
  std::string has_key() const;
  /// `"a", "b"`
  std::string key() const { return join_key_; }
  /// `main."table"`
  const std::string& table() const noexcept { return table_; }

 private:
  std::string is_greater(const std::string& guard) const;
  std::string is_same(const std::string& guard) const;
  bool has_times(const std::string& column) const;
  std::size_t place_of(const std::string& column) const;

  const tables::Target& target_;
  const std::vector<Format>& formats_;
  const KeyOrder order_;
  const std::string table_;
  const std::string join_key_;
};

/// The lines of a batch without their newlines.
std::vector<std::string_view> lines_of(std::string_view lines);

}  // namespace threadkeep::sqlite
