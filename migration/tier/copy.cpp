// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/copy.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <stop_token>
#include <thread>
#include <utility>

#include "migration/tier/run.hpp"
#include "migration/tier/step_queue.hpp"
#include "migration/tier/words.hpp"

namespace threadkeep::migration {

namespace {

// What one statement has to write must be in the memory of both sides.
constexpr BatchLimits whole_table = {std::numeric_limits<std::uint64_t>::max(),
                                     std::size_t{256} << 20};

// Tables whose ranges would be more are read again to verify them. These are 8 MiB of memory, and
// of rows 160 GiB.
constexpr std::size_t most_ranges = 20'000;

void check_all_read(const TablePlan& table, std::uint64_t rows) {
  if (rows == table.row_count) return;
  throw SourceError(Error(Code::corrupt, quoted(table.name()) + " has " +
                                             counted(table.row_count, "row") + ", but " +
                                             std::to_string(rows) +
                                             " came in the order of its key; look for damage of "
                                             "the source's indexes"));
}

}  // namespace

/// The threads that copy. The first error ends all of them.
class TableCopy::Jobs {
 public:
  Jobs(TableCopy& copy, const Call& call)
      : copy_(copy),
        queue_(copy.plan_),
        call_{call.deadline, stop_.get_token()},
        when_caller_stops_(call.stop, [this] { stop_.request_stop(); }) {}

  void run() {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < copy_.jobs_.size(); ++i) {
      others.emplace_back([this, i] { work(copy_.jobs_[i]); });
    }
    work(copy_.jobs_.front());
    others.clear();
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void work(Job job) {
    try {
      while (const auto step = queue_.take()) {
        copy_.copy_step(job, copy_.plan_.steps[*step], call_);
        queue_.done(*step);
      }
    } catch (...) {
      fail(std::current_exception());
    }
  }

  void fail(std::exception_ptr error) {
    {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::move(error);
    }
    queue_.stop();
    stop_.request_stop();
  }

  TableCopy& copy_;
  StepQueue queue_;
  std::stop_source stop_;
  const Call call_;
  std::mutex mutex_;
  std::exception_ptr error_;  // guarded by mutex_
  std::stop_callback<std::function<void()>> when_caller_stops_;
};

TableCopy::TableCopy(const Plan& plan, std::vector<Job> jobs, tables::MigrationLock& lock,
                     tables::Run& run, CopyOptions options)
    : plan_(plan),
      jobs_(std::move(jobs)),
      lock_(lock),
      run_(run),
      options_(std::move(options)),
      rejected_(rejected_rows(run)) {}

void TableCopy::copy_all(const Call& call) {
  Jobs(*this, call).run();
  for (const auto& table : plan_.tables) {
    if (table.links) copy_links(jobs_.front(), table, call);
  }
}

void TableCopy::copy_again(const std::set<std::string>& names, const Call& call) {
  for (const auto& step : plan_.steps) {
    const bool wanted = std::any_of(step.tables.begin(), step.tables.end(),
                                    [&](const auto& name) { return names.contains(name); });
    if (!wanted) continue;
    for (const auto& name : step.tables) forget(name);
  }
  copy_all(call);
}

void TableCopy::forget(const std::string& table) {
  const std::lock_guard lock(mutex_);
  for (auto& each : run_.tables) {
    if (each.table != table) continue;
    rejected_ -= each.counts.rejected;
    each.cursor.clear();
    each.done = false;
    each.counts = {};
  }
}

void TableCopy::copy_step(Job job, const Step& step, const Call& call) {
  if (step.group) return copy_group(job, step, call);
  for (const auto& name : step.tables) copy_rows(job, plan_.table(name), step, call);
}

bool TableCopy::is_done(const std::string& table) {
  const std::lock_guard lock(mutex_);
  return progress_of(run_, table, 1).done;
}

// A group is done or not begun: what an earlier attempt did was undone with its transaction.
void TableCopy::copy_group(Job job, const Step& step, const Call& call) {
  const bool done = std::all_of(step.tables.begin(), step.tables.end(),
                                [&](const auto& name) { return is_done(name); });
  if (done) return;
  for (const auto& name : step.tables) forget(name);
  job.writer.begin_group(call);
  for (const auto& name : step.tables) copy_rows(job, plan_.table(name), step, call);
  job.writer.end_group(call);
}

void TableCopy::copy_rows(Job job, const TablePlan& table, const Step& step, const Call& call) {
  auto progress = progress_so_far(table, 1);
  if (progress.done) return;
  const bool from_start = progress.cursor.empty();
  if (from_start) progress.counts = {};
  const auto limits = step.whole ? whole_table : options_.limits;
  const auto read = step.parents_first ? walk_tree(job, table, *step.parents_first, progress, call)
                                       : walk(job, table, table.rows, progress, limits, call);
  if (from_start) check_all_read(table, read);
  finish(job, progress, call);
  tell(options_.events.table, table, progress.counts);
}

void TableCopy::copy_links(Job job, const TablePlan& table, const Call& call) {
  auto progress = progress_so_far(table, 2);
  if (progress.done) return;
  walk(job, table, *table.links, progress, options_.limits, call);
  finish(job, progress, call);
  tell(options_.events.links, table, progress.counts);
}

tables::TableProgress TableCopy::progress_so_far(const TablePlan& table, int pass) {
  const std::lock_guard lock(mutex_);
  return progress_of(run_, table.name(), pass);
}

std::uint64_t TableCopy::walk(Job job, const TablePlan& table, const Pass& pass,
                              tables::TableProgress& progress, BatchLimits limits,
                              const Call& call) {
  const auto target = target_for(table, pass, progress, call);
  if (target && limits.bytes != whole_table.bytes) {
    const auto ranges = ranges_of(job, table, pass, progress, *target, call);
    if (!ranges.empty()) return walk_ranges(job, table, pass, ranges, progress, call);
  }
  std::optional<LineRanges> lines;
  if (target && !table.links && !table.expiry) lines.emplace(table, pass);
  return walk_rows(job, table, pass, selection_of(table, pass, progress.cursor), progress, limits,
                   lines ? &*lines : nullptr, call);
}

std::uint64_t TableCopy::walk_tree(Job job, const TablePlan& table, const tables::ForeignKey& key,
                                   tables::TableProgress& progress, const Call& call) {
  auto selection = selection_of(table, table.rows);
  selection.tree = {key.columns, key.target_columns, false};
  auto read =
      walk_rows(job, table, table.rows, selection, progress, options_.limits, nullptr, call);
  if (read == table.row_count) return read;
  selection.tree->others = true;
  read += walk_rows(job, table, table.rows, selection, progress, whole_table, nullptr, call);
  return read;
}

// For a table that is read from its start, and where digests can tell.
std::unique_ptr<tables::Snapshot> TableCopy::target_for(const TablePlan& table, const Pass& pass,
                                                        const tables::TableProgress& progress,
                                                        const Call& call) {
  if (!progress.cursor.empty() || !options_.target) return {};
  const std::lock_guard lock(mutex_);
  auto target = options_.target(call);
  if (!comparable_by_digest(table.source, pass, *target)) return {};
  return target;
}

std::vector<RowRange> TableCopy::ranges_of(Job job, const TablePlan& table, const Pass& pass,
                                           const tables::TableProgress& progress,
                                           tables::Snapshot& target, const Call& call) {
  const auto& there = pass.target.table;
  if (table.row_count > 0 && !target.key_after(there, {}, 1, call)) return {};  // no rows
  auto ranges =
      compare_ranges(table, pass, job.source, target, DigestOf::values, options_.limits, call);
  if (are_all_rows(ranges, there, job.source, target, call)) {
    const std::lock_guard lock(mutex_);
    equal_.emplace(table.name(), progress.pass);
  }
  return ranges;
}

// Rows that are equal are counted with the next batch, and the place after it is behind them.
std::uint64_t TableCopy::walk_ranges(Job job, const TablePlan& table, const Pass& pass,
                                     const std::vector<RowRange>& ranges,
                                     tables::TableProgress& progress, const Call& call) {
  std::uint64_t rows = 0;
  for (const auto& range : ranges) {
    if (range.equal) {
      progress.counts.unchanged += range.rows;
      rows += range.rows;
      tell(options_.events.batch, table, range.rows, std::size_t{0});
    } else if (range.rows > 0) {
      rows += walk_rows(job, table, pass, selection_of(table, pass, range), progress,
                        options_.limits, nullptr, call);
    }
  }
  return rows;
}

std::uint64_t TableCopy::walk_rows(Job job, const TablePlan& table, const Pass& pass,
                                   tables::Snapshot::Selection selection,
                                   tables::TableProgress& progress, BatchLimits limits,
                                   LineRanges* lines, const Call& call) {
  std::vector<DigestedRange> ranges;  // Of the reading thread, until it has ended.
  ReadAhead::Look look;
  if (lines) look = [&](const tables::Batch& batch) { ranges.push_back(lines->next(batch)); };
  ReadAhead rows(job.source, table.source, std::move(selection), limits, call, std::move(look));
  bool first = true;
  std::uint64_t read = 0;
  while (const auto batch = rows.next()) {
    if (!std::exchange(first, false) && limits.bytes == whole_table.bytes) {
      throw Error(Code::invalid_argument,
                  quoted(table.name()) +
                      " refers to itself and is too large for one statement; make the constraint "
                      "deferrable, or its column nullable");
    }
    write(job, table, pass, *batch, progress, call);
    read += batch->rows;
  }
  if (lines) keep(table, std::move(ranges), lines->end());
  return read;
}

void TableCopy::keep(const TablePlan& table, std::vector<DigestedRange> ranges, DigestedRange end) {
  ranges.push_back(std::move(end));
  const std::lock_guard lock(mutex_);
  copied_ranges_ += ranges.size();
  if (copied_ranges_ <= most_ranges) copied_[table.name()] = std::move(ranges);
}

bool TableCopy::found_all_equal() const {
  const bool wrote = std::any_of(run_.tables.begin(), run_.tables.end(), [](const auto& each) {
    return each.counts.rows() != each.counts.unchanged;
  });
  return !wrote && std::all_of(plan_.tables.begin(), plan_.tables.end(), [&](const auto& table) {
    return table.keyless() || (equal_.contains({table.name(), 1}) &&
                               (!table.links || equal_.contains({table.name(), 2})));
  });
}

void TableCopy::write(Job job, const TablePlan& table, const Pass& pass, const tables::Batch& batch,
                      tables::TableProgress& progress, const Call& call) {
  check_lock(call);
  progress.cursor = batch.end;
  write_or_give_up(job, pass, batch, progress, call);
  const std::lock_guard lock(mutex_);
  remember(run_, progress);
  if (options_.events.batch) options_.events.batch(table, batch.rows, batch.lines.size());
}

void TableCopy::check_lock(const Call& call) {
  const std::lock_guard lock(mutex_);
  lock_.check(call);
}

tables::Counts TableCopy::write_or_give_up(Job job, const Pass& pass, const tables::Batch& batch,
                                           tables::TableProgress& progress, const Call& call) {
  try {
    return job.writer.write(
        pass.target, batch, run_.id, progress, rejects_left(),
        [&](const tables::Reject& row) { reject(row, pass); }, call);
  } catch (const Error& error) {
    if (error.code() == Code::invalid_argument) throw TooManyRejects(error);
    throw;
  }
}

std::uint64_t TableCopy::rejects_left() {
  const std::lock_guard lock(mutex_);
  return options_.max_errors > rejected_ ? options_.max_errors - rejected_ : 0;
}

// What several jobs reject at the same time is more than one of them knows.
void TableCopy::reject(const tables::Reject& row, const Pass& pass) {
  const std::lock_guard lock(mutex_);
  options_.events.reject(row, pass);
  if (++rejected_ <= options_.max_errors || jobs_.size() == 1) return;
  throw Error(Code::invalid_argument,
              "table " + quoted(row.table) + " does not take a row (" + row.code +
                  "); nothing of its batch is written, because no more than " +
                  std::to_string(options_.max_errors) + " rows may be rejected");
}

void TableCopy::finish(Job job, tables::TableProgress& progress, const Call& call) {
  progress.done = true;
  job.writer.mark_done(run_.id, progress, call);
  const std::lock_guard lock(mutex_);
  remember(run_, progress);
}

std::uint64_t TableCopy::advance_sequences(const Call& call) {
  std::uint64_t moved = 0;
  for (const auto& table : plan_.tables) {
    check_lock(call);
    moved += jobs_.front().writer.advance_sequences(table.rows.target.table, call);
  }
  return moved;
}

template <typename Event, typename... Arguments>
void TableCopy::tell(const Event& event, const Arguments&... arguments) {
  if (!event) return;
  const std::lock_guard lock(mutex_);
  event(arguments...);
}

}  // namespace threadkeep::migration
