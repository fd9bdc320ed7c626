// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <threadkeep/table_store.hpp>
#include <vector>

#include "migration/tier/match.hpp"
#include "migration/tier/order.hpp"
#include "migration/tier/skip.hpp"

namespace threadkeep::migration {

/// One walk over the rows of a table.
struct Pass {
  std::vector<std::string> read;  ///< Columns of the source, in the order of the lines.
  tables::Target target;
};

/// What is done with one table.
struct TablePlan {
  tables::Table source;
  Pass rows;
  std::optional<Pass> links;          ///< Sets the columns that are NULL at first.
  Pass everything;                    ///< What a comparison looks at: all columns.
  std::optional<std::string> expiry;  ///< Rows whose time in this column has passed stay behind.
  bool credentials = false;           ///< Holds secrets, and is copied because the user said so.
  std::uint64_t row_count = 0;        ///< In the source, without those that stay behind.
  std::uint64_t expired_count = 0;    ///< Of the source, that stay behind.

  const std::string& name() const noexcept { return rows.target.table.name; }
  bool keyless() const noexcept { return rows.target.mode == tables::Target::Mode::insert_once; }
};

/// A table of the source that stays behind.
struct Skipped {
  tables::Table table;
  std::string reason;
  std::uint64_t row_count = 0;
};

/// Everything that a migration would do, in its order.
struct Plan {
  std::vector<TablePlan> tables;  ///< In the order of the steps.
  std::vector<Step> steps;
  std::vector<std::string> cycles;  ///< How each of them is broken.
  std::vector<Skipped> skipped;
  /// Tables of the source that the target lacks. A copy is refused where one has rows.
  std::vector<Skipped> without_target;
  std::vector<std::string> notes;
  /// What stands against it; to be carried out only where there is nothing.
  std::vector<Problem> problems;
  /// SHA-256 of all that decides what is copied, and of nothing that a copy changes.
  std::string hash;

  const TablePlan& table(const std::string& name) const;
  std::uint64_t row_count() const noexcept;
};

struct PlanOptions {
  SkipChoice skip;
  std::vector<std::string> order;  ///< See order_tables().
  bool row_log = false;            ///< Rows that are written are noted, so that they can be undone.
};

/// Compares two databases. Throws Error as order_tables() does.
Plan make_plan(const tables::Schema& source, const tables::Schema& target, bool source_has_vectors,
               const PlanOptions& options);

/// Counts the rows of the source, and finds the problems that need counts.
void count_rows(Plan& plan, tables::Snapshot& source, const Call& call);

}  // namespace threadkeep::migration
