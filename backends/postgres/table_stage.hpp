// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::postgres {

/// What the server said of a row that it does not take.
struct RowFailure {
  std::string code;
  std::string message;
};

/// A temporary table with the columns and types of a target's, into which lines go first: what is
/// compared is compared after it has become the target's type. Gone with the session.
class TableStage {
 public:
  /// Creates it under a name of its own, in place of an earlier one. Throws Error.
  TableStage(Connection& connection, std::string_view name, const tables::Target& target,
             const Call& call);

  /// Whether it serves this target as well.
  bool fits(const tables::Target& target) const;
  /// Puts the lines where others may have been before. What the server refuses is an Error, and
  /// the transaction has failed.
  void load(std::string_view lines, const Call& call);
  /// Numbers of the lines, from 0, whose key an earlier one of them has.
  std::vector<std::size_t> duplicates(const std::vector<std::string>& key, const Call& call);

  const std::string& name() const noexcept { return name_; }  ///< Quoted.

 private:
  Connection& connection_;
  std::string name_;
  std::string table_;
  std::vector<std::string> columns_;
  bool analyzed_ = false;
};

/// Does work inside a transaction. Where the server refuses a row in it, what it did is undone and
/// the failure told. What else goes wrong is an Error.
std::optional<RowFailure> attempt(Connection& connection, const std::function<void()>& work,
                                  const Call& call);

/// Does `work` with lines in one transaction, and where the server refuses a row, with those before
/// and after it: halves until the row is found.
class RowFinder {
 public:
  using Work = std::function<void(std::string_view lines)>;
  using OnFailure = std::function<void(std::string_view line, const RowFailure&)>;

  RowFinder(Connection& connection, Work work, OnFailure on_failure)
      : connection_(connection), work_(std::move(work)), on_failure_(std::move(on_failure)) {}

  void run(std::string_view lines, const Call& call);

 private:
  Connection& connection_;
  const Work work_;
  const OnFailure on_failure_;
};

/// Loads those lines that the types of the target take; the others are handed to `on_failure`.
/// Returns what the stage holds then: the lines themselves, or what is left of them in `rest`.
std::string_view load_rows(Connection& connection, TableStage& stage, std::string_view lines,
                           std::string& rest, const RowFinder::OnFailure& on_failure,
                           const Call& call);

/// Names of the columns that lines hold.
std::vector<std::string> names_of(const std::vector<tables::LineColumn>& columns);

/// The condition that rows `left` and `right` (with their dots) differ in a column: not the same
/// value, whatever the column's own `=` says of case or of units.
std::string differs(const tables::Column& column, std::string_view left, std::string_view right);
/// The same for one of several; "false" for none.
std::string differ(const tables::Table& table, const std::vector<std::string>& columns,
                   std::string_view left, std::string_view right);

}  // namespace threadkeep::postgres
