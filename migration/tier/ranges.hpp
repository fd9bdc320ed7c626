// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <threadkeep/table_store.hpp>
#include <vector>

#include "migration/tier/plan.hpp"
#include "migration/tier/source.hpp"

namespace threadkeep::migration {

/// Rows of the source that follow each other in the order of the key.
struct RowRange {
  tables::KeyRange keys;
  tables::Cursor from;     ///< Where they begin in the source.
  std::uint64_t rows = 0;  ///< Of the source.
  bool equal = false;      ///< The target has the same rows in the range, and no others.
};

/// What digests are made of, where both sides can do that; the other way is taken if not.
enum class DigestOf {
  texts,   ///< SHA-256 of all that rows hold.
  values,  ///< SHA-256 of the servers' hashes of rows: 64 bits each, and faster.
};

/// What the source held in a range.
struct DigestedRange {
  RowRange range;
  tables::Digest digest;
  bool is_last = false;
};

/// By tables: all of their ranges.
using CopiedRanges = std::map<std::string, std::vector<DigestedRange>>;

/// The ranges of lines as they are read from the source, in their order, so that it need not be
/// read a second time to compare them.
class LineRanges {
 public:
  LineRanges(const TablePlan& table, const Pass& pass);

  DigestedRange next(const tables::Batch& batch);
  /// What is behind the last batch: nothing.
  DigestedRange end() const;

 private:
  const std::vector<tables::LineColumn>& columns_;
  std::vector<std::size_t> places_;  // Of the key in the lines.
  tables::KeyValues after_;
  tables::Cursor from_;
};

/// Whether the rows of a pass can be compared by digests: the target makes them, both sides know
/// rows by the same key, and values are of the same kinds.
bool comparable_by_digest(const tables::Table& source, const Pass& pass,
                          const tables::Snapshot& target);

/// Whether source and target bring the keys of a table into the same order, so that a range has the
/// same rows in both. Texts have many orders.
bool has_one_order(const tables::Table& table, const tables::Snapshot& source);

/// The rows of a range.
tables::Snapshot::Selection selection_of(const TablePlan& table, const Pass& pass,
                                         const RowRange& range);

/// Compares source and target by digests of ranges, without moving rows from one to the other; both
/// work at the same time. The ranges are all rows, in their order; neighbours that are alike are
/// one. Where the first ones all differ, the rest is one that differs, for rows will have to be
/// compared anyway. Throws SourceError, Error.
std::vector<RowRange> compare_ranges(const TablePlan& table, const Pass& pass,
                                     tables::Snapshot& source, tables::Snapshot& target,
                                     DigestOf what, BatchLimits limits, const Call& call);

/// The same with what a copy has read of the source, which is not asked again: two ranges of the
/// target are looked at at the same time, over two connections.
std::vector<RowRange> compare_ranges(const TablePlan& table, const Pass& pass,
                                     const std::vector<DigestedRange>& copied,
                                     tables::Snapshot& target, const Call& call);

bool all_equal(const std::vector<RowRange>& ranges) noexcept;
/// Whether all ranges are equal, and the target's table has no row beside theirs.
bool are_all_rows(const std::vector<RowRange>& ranges, const tables::Table& table,
                  const tables::Snapshot& source, tables::Snapshot& target, const Call& call);
std::uint64_t rows_in(const std::vector<RowRange>& ranges) noexcept;

}  // namespace threadkeep::migration
