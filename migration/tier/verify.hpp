// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <threadkeep/table_store.hpp>
#include <vector>

#include "migration/tier/plan.hpp"
#include "migration/tier/ranges.hpp"
#include "migration/tier/source.hpp"

namespace threadkeep::migration {

/// What a comparison of one table has found.
struct TableVerdict {
  std::string table;
  std::uint64_t row_count = 0;  ///< Of the source.
  tables::Differences differences;
  tables::Differences rejected;  ///< Of these, rows that the copy has rejected; never `extra`.
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

/// Differences that a copy has told already, and that are not held against it, besides those of
/// rejected rows and of rows that are newer.
struct Expected {
  bool extra_rows = false;  ///< The target had rows of its own.
  std::vector<tables::TableProgress>
      tables;  ///< How many rows were kept, or rejected without a key.
};

/// The verification without what was expected.
Verification unexpected(Verification found, const Plan& plan, const Expected& expected);

struct VerifyOptions {
  BatchLimits limits;
  /// The rows of tables with a key were compared already, and are equal.
  bool rows_are_equal = false;
  /// What a copy has read of tables, before the source was renewed: it is read again only where it
  /// may have changed since. May be null.
  const CopiedRanges* copied = nullptr;
  /// The keys of rows of a table that were rejected (tables::key_of()). May be empty.
  std::function<std::set<std::string>(const std::string& table)> rejected;
  std::function<void(const TableVerdict&)> each;  ///< May be empty.
};

/// Compares the rows of a plan with the target's, in both directions: by digests of ranges of them
/// where both sides can make those, and one by one, as values of the target's types, where the
/// digests differ or cannot be made. Looks for rows that refer to nothing, and for sequences that
/// would give a value that is taken. Changes nothing. Throws SourceError, Error.
Verification verify_tables(const Plan& plan, tables::Snapshot& source, tables::Snapshot& target,
                           tables::Writer& writer, const VerifyOptions& options, const Call& call);

}  // namespace threadkeep::migration
