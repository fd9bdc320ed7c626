// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <threadkeep/table_store.hpp>
#include <vector>

#include "migration/tier/plan.hpp"
#include "migration/tier/source.hpp"

namespace threadkeep::migration {

/// What a comparison of one table has found.
struct TableVerdict {
  std::string table;
  std::uint64_t row_count = 0;  ///< Of the source.
  tables::Differences differences;
  std::vector<tables::Orphans> orphans;
  std::vector<tables::SequenceBehind> sequences;

  bool holds() const noexcept {
    return differences.total() == 0 && orphans.empty() && sequences.empty();
  }
};

struct Verification {
  std::vector<TableVerdict> tables;
  bool holds() const noexcept;
};

/// Differences that a copy has told already, and that are not held against it.
struct Expected {
  bool extra_rows = false;                    ///< The target had rows of its own.
  std::vector<tables::TableProgress> tables;  ///< Rejected rows, and rows that are newer.
};

/// The verification without what was expected.
Verification unexpected(Verification found, const Plan& plan, const Expected& expected);

/// Reads the rows of a plan once more and compares each with the target's, in both directions, as
/// values of the target's types. Looks for rows that refer to nothing, and for sequences that
/// would give a value that is taken. Changes nothing. Throws SourceError, Error.
Verification verify_tables(const Plan& plan, tables::Snapshot& source, tables::Snapshot& target,
                           tables::Writer& writer, BatchLimits limits,
                           const std::function<void(const TableVerdict&)>& each, const Call& call);

}  // namespace threadkeep::migration
