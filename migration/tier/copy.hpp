// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
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

/// What happens on the way. Called by the threads that copy, one at a time.
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

/// One of those who copy at the same time: what it reads from and writes to. All read the same
/// moment of the source.
struct Job {
  tables::Snapshot& source;
  tables::Writer& writer;
};

/// More rows were rejected than may be. The batch of the last one was given up.
class TooManyRejects : public Error {
 public:
  explicit TooManyRejects(const Error& error) : Error(error) {}
};

/// Copies the rows of a plan into a target that this program has locked, as many tables at a time
/// as there are jobs. What a batch has done is committed with it, in the target; `run` is kept as
/// the target knows it. May be called again for a run that was interrupted. Not thread-safe.
class TableCopy {
 public:
  TableCopy(const Plan& plan, std::vector<Job> jobs, tables::MigrationLock& lock, tables::Run& run,
            CopyOptions options);

  /// Everything that the run has not done yet. Throws SourceError, Error(conflict) where the lock
  /// is lost, TooManyRejects: the first error of a job ends all of them.
  void copy_all(const Call& call);
  /// Copies tables from their start, once more; others that are in a group with them as well.
  void copy_again(const std::set<std::string>& names, const Call& call);
  /// Moves the sequences of all tables past their values; how many moved.
  std::uint64_t advance_sequences(const Call& call);
  /// Whether each table with a key had the rows of the source and no others, by a comparison of all
  /// they hold, and the run has written nothing at all.
  bool found_all_equal() const;
  /// Of tables that were read from their start to their end, and have no second pass.
  CopiedRanges copied_ranges() && { return std::move(copied_); }

 private:
  class Jobs;

  void copy_step(Job job, const Step& step, const Call& call);
  void copy_group(Job job, const Step& step, const Call& call);
  void copy_rows(Job job, const TablePlan& table, const Step& step, const Call& call);
  void copy_links(Job job, const TablePlan& table, const Call& call);
  /// How many rows were read, or are equal. The next three are its parts.
  std::uint64_t walk(Job job, const TablePlan& table, const Pass& pass,
                     tables::TableProgress& progress, BatchLimits limits, const Call& call);
  /// Parents before children; then in one statement what has no such order.
  std::uint64_t walk_tree(Job job, const TablePlan& table, const tables::ForeignKey& key,
                          tables::TableProgress& progress, const Call& call);
  std::uint64_t walk_ranges(Job job, const TablePlan& table, const Pass& pass,
                            const std::vector<RowRange>& ranges, tables::TableProgress& progress,
                            const Call& call);
  /// `lines`: takes digests of what is read, if given.
  std::uint64_t walk_rows(Job job, const TablePlan& table, const Pass& pass,
                          tables::Snapshot::Selection selection, tables::TableProgress& progress,
                          BatchLimits limits, LineRanges* lines, const Call& call);
  std::unique_ptr<tables::Snapshot> target_for(const TablePlan& table, const Pass& pass,
                                               const tables::TableProgress& progress,
                                               const Call& call);
  /// Where the target has rows already; else none.
  std::vector<RowRange> ranges_of(Job job, const TablePlan& table, const Pass& pass,
                                  const tables::TableProgress& progress, tables::Snapshot& target,
                                  const Call& call);
  void write(Job job, const TablePlan& table, const Pass& pass, const tables::Batch& batch,
             tables::TableProgress& progress, const Call& call);
  tables::Counts write_or_give_up(Job job, const Pass& pass, const tables::Batch& batch,
                                  tables::TableProgress& progress, const Call& call);
  void finish(Job job, tables::TableProgress& progress, const Call& call);
  void forget(const std::string& table);
  bool is_done(const std::string& table);
  tables::TableProgress progress_so_far(const TablePlan& table, int pass);
  void keep(const TablePlan& table, std::vector<DigestedRange> ranges, DigestedRange end);
  void check_lock(const Call& call);
  std::uint64_t rejects_left();
  void reject(const tables::Reject& row, const Pass& pass);
  template <typename Event, typename... Arguments>
  void tell(const Event& event, const Arguments&... arguments);

  const Plan& plan_;
  const std::vector<Job> jobs_;
  tables::MigrationLock& lock_;
  tables::Run& run_;
  const CopyOptions options_;
  std::mutex mutex_;        // Of the lock, the run, the events, and of what follows.
  std::uint64_t rejected_;  // By the run, in batches that are under way too.
  std::set<std::pair<std::string, int>> equal_;  // Tables and passes that had nothing to do.
  CopiedRanges copied_;
  std::size_t copied_ranges_ = 0;
};

}  // namespace threadkeep::migration
