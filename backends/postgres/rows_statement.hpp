// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "statement.hpp"

namespace threadkeep::postgres {

/// A statement over rows that are its parameters: a text of its own for every number of them, for
/// that is what the server carries out fastest. Const use is thread-safe.
class RowsStatement {
 public:
  /// As many rows are worth a prepared statement; more are parsed for one execution.
  static constexpr std::size_t most_prepared = 32;

  /// `text` has `{rows}` in it, a query of the columns `types`, whose placeholders begin with
  /// number `first`.
  RowsStatement(std::string text, std::size_t first, std::vector<std::string_view> types);

  /// For up to most_prepared rows.
  const Statement& of(std::size_t rows) const { return prepared_.at(rows); }
  /// For any number of rows.
  Statement make(std::size_t rows) const;

 private:
  std::string text_;
  std::size_t first_;
  std::vector<std::string_view> types_;
  std::vector<Statement> prepared_;
};

}  // namespace threadkeep::postgres
