// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <threadkeep/error.hpp>
#include <threadkeep/table_store.hpp>
#include <utility>
#include <vector>

#include "migration/tier/plan.hpp"
#include "migration/tier/ranges.hpp"
#include "migration/tier/source.hpp"

namespace threadkeep::migration {

/// What happens on the way. Called by the thread that copies.
struct CopyEvents {
  /// A batch was committed, or is part of a group that will be: its rows and bytes.
  std::function<void(const TablePlan&, std::uint64_t rows, std::size_t bytes)> batch;
  /// All rows of a table were written. Not for links.
  std::function<void(const TablePlan&, const tables::Counts&)> table;
  /// The columns of a table that were NULL at first are set.
  std::function<void(const TablePlan&, const tables::Counts&)> links;
  /// A row was rejected. It must be on the disk when this returns.
  std::function<void(const tables::Reject&, const Pass&)> reject;
};

struct CopyOptions {
  BatchLimits limits;
  std::uint64_t max_errors = 0;  ///< With one more rejected row in the run it ends.
  CopyEvents events;
  /// The target as of now: there rows are found that are equal already, without moving them. Empty
  /// where it makes no digests.
  std::function<std::unique_ptr<tables::Snapshot>(const Call&)> target;
};

/// More rows were rejected than may be. The batch of the last one was given up.
class TooManyRejects : public Error {
 public:
  explicit TooManyRejects(const Error& error) : Error(error) {}
};

/// Copies the rows of a plan, table after table, into a target that this program has locked. What a
/// batch has done is committed with it, in the target; `run` is kept as the target knows it.
/// May be called again for a run that was interrupted. Not thread-safe.
class TableCopy {
 public:
  TableCopy(const Plan& plan, tables::Snapshot& source, tables::Writer& writer,
            tables::MigrationLock& lock, tables::Run& run, CopyOptions options);

  /// Everything that the run has not done yet. Throws SourceError, Error(conflict) where the lock
  /// is lost, TooManyRejects.
  void copy_all(const Call& call);
  /// Copies tables from their start, once more; others that are in a group with them as well.
  void copy_again(const std::set<std::string>& names, const Call& call);
  /// Moves the sequences of all tables past their values; how many moved.
  std::uint64_t advance_sequences(const Call& call);
  /// Whether each table with a key had the rows of the source and no others, by a comparison of all
  /// they hold, and the run has written nothing at all.
  bool found_all_equal() const;

 private:
  void copy_step(const Step& step, const Call& call);
  void copy_group(const Step& step, const Call& call);
  void copy_rows(const TablePlan& table, bool whole, const Call& call);
  void copy_links(const TablePlan& table, const Call& call);
  /// How many rows were read, or are equal. The next two are its parts.
  std::uint64_t walk(const TablePlan& table, const Pass& pass, tables::TableProgress& progress,
                     BatchLimits limits, const Call& call);
  std::uint64_t walk_ranges(const TablePlan& table, const Pass& pass,
                            const std::vector<RowRange>& ranges, tables::TableProgress& progress,
                            const Call& call);
  std::uint64_t walk_rows(const TablePlan& table, const Pass& pass,
                          tables::Snapshot::Selection selection, tables::TableProgress& progress,
                          BatchLimits limits, const Call& call);
  /// Where the target has rows already; else none.
  std::vector<RowRange> ranges_of(const TablePlan& table, const Pass& pass,
                                  const tables::TableProgress& progress, const Call& call);
  void write(const TablePlan& table, const Pass& pass, const tables::Batch& batch,
             tables::TableProgress& progress, const Call& call);
  tables::Counts write_or_give_up(const Pass& pass, const tables::Batch& batch,
                                  tables::TableProgress& progress, const Call& call);
  void finish(tables::TableProgress& progress, const Call& call);
  void forget(const std::string& table);

  const Plan& plan_;
  tables::Snapshot& source_;
  tables::Writer& writer_;
  tables::MigrationLock& lock_;
  tables::Run& run_;
  const CopyOptions options_;
  std::set<std::pair<std::string, int>> equal_;  // Tables and passes that had nothing to do.
};

}  // namespace threadkeep::migration
