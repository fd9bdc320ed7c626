// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "layout.hpp"
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

/// The statements of mutations. Const use is thread-safe.
struct WriteStatements {
  explicit WriteStatements(const Layout& layout);

  Statement begin;
  Statement commit;
  Statement lock;
  Statement locks;

  RowsStatement put;
  RowsStatement put_latest;
  RowsStatement put_blobs;
  RowsStatement put_writes;
  Statement put_thread;

  Statement delete_thread;
  /// Comes before threads_of_runs, in its transaction: lets it read the table as it lies on the
  /// disk where there is no index over runs. Connections would rather go through another index.
  Statement scan_for_runs;
  bool runs_indexed;
  Statement threads_of_runs;
  Statement nodes_of_threads;
  Statement delta_values;
  Statement erase_checkpoints;
  Statement erase_old_writes;
  Statement collect_blobs;

  Statement copy_thread;
};

}  // namespace threadkeep::postgres
