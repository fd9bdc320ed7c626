// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connection.hpp"
#include "table_kinds.hpp"
#include "threadkeep/table_model.hpp"

namespace threadkeep::sqlite {

/// The application's tables, and what is left out of them. In a transaction.
tables::Schema describe(Connection& connection);

/// A foreign key with the number that `PRAGMA foreign_key_check` gives it.
struct NumberedForeignKey {
  std::int64_t id = 0;
  tables::ForeignKey key;
};

/// In the order of their declaration.
std::vector<NumberedForeignKey> foreign_keys_of(Connection& connection, const std::string& table);

/// How rows are found and ordered by the key of `table`, or by their rowid when it has none.
struct KeyOrder {
  std::vector<std::string> columns;  ///< Quoted; the rowid's name when there is no key.
  /// The columns with the collations of the index that keeps the key unique: `"a" COLLATE
  /// "NOCASE"`.
  std::vector<std::string> terms;
  bool by_rowid = false;  ///< There is no key.
};
KeyOrder key_order_of(Connection& connection, const tables::Table& table);

/// Whether the table is STRICT, where columns of type ANY keep values as they are.
bool is_strict(Connection& connection, const std::string& table);

}  // namespace threadkeep::sqlite
