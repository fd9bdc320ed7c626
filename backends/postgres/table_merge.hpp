// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::postgres {

/// The condition that a row `t` of the target is newer than the one of `from`, which ends with a
/// dot.
std::string is_newer(const tables::Target& target, std::string_view from);

/// From a stage into a target: the statements for one table. Rows that are equal or newer in the
/// target are neither locked nor written. Refers to nothing.
class TableMerge {
 public:
  TableMerge(const std::string& schema, const tables::Target& target, const std::string& stage);

  /// Unique columns beside the key, and the lines of the stage that cannot have their values there:
  /// rows of the target have them that no line changes.
  struct Taken {
    std::vector<std::string> columns;
    std::vector<std::size_t> lines;  ///< Numbers from 0.
  };
  /// For the first such columns; none where there are none.
  Taken find_taken(Connection& connection, const Call& call) const;

  /// Inside a transaction. The counts are of rows that were really written: a trigger may have
  /// withheld others. Where the target has a log, they are noted as those of `run_id`.
  tables::Counts run(Connection& connection, const std::string& run_id, const Call& call) const;

 private:
  std::uint64_t write(Connection& connection, const std::string& sql, const std::string& run_id,
                      bool inserted, const Call& call) const;

  const std::string table_;
  const bool log_;
  std::string settled_;
  std::string update_;
  std::string insert_;
  std::vector<std::pair<std::vector<std::string>, std::string>> taken_;  // Columns, statement.
};

/// SQL that says whether the target's row, which is called `t`, is newer than another one.
std::string is_newer(const tables::Target& target, std::string_view from);

}  // namespace threadkeep::postgres
