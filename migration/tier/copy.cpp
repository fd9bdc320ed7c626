// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/copy.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "migration/tier/run.hpp"
#include "migration/tier/words.hpp"

namespace threadkeep::migration {

namespace {

// What one statement has to write must be in the memory of both sides.
constexpr BatchLimits whole_table = {std::numeric_limits<std::uint64_t>::max(),
                                     std::size_t{256} << 20};

void check_all_read(const TablePlan& table, std::uint64_t rows) {
  if (rows == table.row_count) return;
  throw SourceError(Error(Code::corrupt, quoted(table.name()) + " has " +
                                             counted(table.row_count, "row") + ", but " +
                                             std::to_string(rows) +
                                             " came in the order of its key; look for damage of "
                                             "the source's indexes"));
}

}  // namespace

TableCopy::TableCopy(const Plan& plan, tables::Snapshot& source, tables::Writer& writer,
                     tables::MigrationLock& lock, tables::Run& run, CopyOptions options)
    : plan_(plan),
      source_(source),
      writer_(writer),
      lock_(lock),
      run_(run),
      options_(std::move(options)) {}

void TableCopy::copy_all(const Call& call) {
  for (const auto& step : plan_.steps) copy_step(step, call);
  for (const auto& table : plan_.tables) {
    if (table.links) copy_links(table, call);
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
  for (auto& each : run_.tables) {
    if (each.table != table) continue;
    each.cursor.clear();
    each.done = false;
    each.counts = {};
  }
}

void TableCopy::copy_step(const Step& step, const Call& call) {
  if (step.group) return copy_group(step, call);
  for (const auto& name : step.tables) copy_rows(plan_.table(name), step, call);
}

// A group is done or not begun: what an earlier attempt did was undone with its transaction.
void TableCopy::copy_group(const Step& step, const Call& call) {
  const bool done = std::all_of(step.tables.begin(), step.tables.end(),
                                [&](const auto& name) { return progress_of(run_, name, 1).done; });
  if (done) return;
  for (const auto& name : step.tables) forget(name);
  writer_.begin_group(call);
  for (const auto& name : step.tables) copy_rows(plan_.table(name), step, call);
  writer_.end_group(call);
}

void TableCopy::copy_rows(const TablePlan& table, const Step& step, const Call& call) {
  auto progress = progress_of(run_, table.name(), 1);
  if (progress.done) return;
  const bool from_start = progress.cursor.empty();
  if (from_start) progress.counts = {};
  const auto limits = step.whole ? whole_table : options_.limits;
  const auto read = step.parents_first ? walk_tree(table, *step.parents_first, progress, call)
                                       : walk(table, table.rows, progress, limits, call);
  if (from_start) check_all_read(table, read);
  finish(progress, call);
  if (options_.events.table) options_.events.table(table, progress.counts);
}

void TableCopy::copy_links(const TablePlan& table, const Call& call) {
  auto progress = progress_of(run_, table.name(), 2);
  if (progress.done) return;
  walk(table, *table.links, progress, options_.limits, call);
  finish(progress, call);
  if (options_.events.links) options_.events.links(table, progress.counts);
}

std::uint64_t TableCopy::walk(const TablePlan& table, const Pass& pass,
                              tables::TableProgress& progress, BatchLimits limits,
                              const Call& call) {
  if (limits.bytes != whole_table.bytes) {
    const auto ranges = ranges_of(table, pass, progress, call);
    if (!ranges.empty()) return walk_ranges(table, pass, ranges, progress, call);
  }
  return walk_rows(table, pass, selection_of(table, pass, progress.cursor), progress, limits, call);
}

std::uint64_t TableCopy::walk_tree(const TablePlan& table, const tables::ForeignKey& key,
                                   tables::TableProgress& progress, const Call& call) {
  auto selection = selection_of(table, table.rows);
  selection.tree = {key.columns, key.target_columns, false};
  auto read = walk_rows(table, table.rows, selection, progress, options_.limits, call);
  if (read == table.row_count) return read;
  selection.tree->others = true;
  read += walk_rows(table, table.rows, selection, progress, whole_table, call);
  return read;
}

std::vector<RowRange> TableCopy::ranges_of(const TablePlan& table, const Pass& pass,
                                           const tables::TableProgress& progress,
                                           const Call& call) {
  if (!progress.cursor.empty() || !options_.target) return {};
  const auto target = options_.target(call);
  if (!comparable_by_digest(table.source, pass, *target)) return {};
  const auto there = target->count(pass.target.table, call);
  if (there == 0 && table.row_count > 0) return {};
  auto ranges = compare_ranges(table, pass, source_, *target, options_.limits, call);
  if (all_equal(ranges) && rows_in(ranges) == there) equal_.emplace(table.name(), progress.pass);
  return ranges;
}

// Rows that are equal are counted with the next batch, and the place after it is behind them.
std::uint64_t TableCopy::walk_ranges(const TablePlan& table, const Pass& pass,
                                     const std::vector<RowRange>& ranges,
                                     tables::TableProgress& progress, const Call& call) {
  std::uint64_t rows = 0;
  for (const auto& range : ranges) {
    if (range.equal) {
      progress.counts.unchanged += range.rows;
      rows += range.rows;
      if (options_.events.batch) options_.events.batch(table, range.rows, 0);
    } else if (range.rows > 0) {
      rows +=
          walk_rows(table, pass, selection_of(table, pass, range), progress, options_.limits, call);
    }
  }
  return rows;
}

std::uint64_t TableCopy::walk_rows(const TablePlan& table, const Pass& pass,
                                   tables::Snapshot::Selection selection,
                                   tables::TableProgress& progress, BatchLimits limits,
                                   const Call& call) {
  ReadAhead rows(source_, table.source, std::move(selection), limits, call);
  bool first = true;
  std::uint64_t read = 0;
  while (const auto batch = rows.next()) {
    if (!std::exchange(first, false) && limits.bytes == whole_table.bytes) {
      throw Error(Code::invalid_argument,
                  quoted(table.name()) +
                      " refers to itself and is too large for one statement; make the constraint "
                      "deferrable, or its column nullable");
    }
    write(table, pass, *batch, progress, call);
    read += batch->rows;
  }
  return read;
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

void TableCopy::write(const TablePlan& table, const Pass& pass, const tables::Batch& batch,
                      tables::TableProgress& progress, const Call& call) {
  lock_.check(call);
  progress.cursor = batch.end;
  write_or_give_up(pass, batch, progress, call);
  remember(run_, progress);
  if (options_.events.batch) options_.events.batch(table, batch.rows, batch.lines.size());
}

tables::Counts TableCopy::write_or_give_up(const Pass& pass, const tables::Batch& batch,
                                           tables::TableProgress& progress, const Call& call) {
  const std::uint64_t before = rejected_rows(run_);
  const std::uint64_t left = options_.max_errors > before ? options_.max_errors - before : 0;
  const auto reject = [&](const tables::Reject& row) { options_.events.reject(row, pass); };
  try {
    return writer_.write(pass.target, batch, run_.id, progress, left, reject, call);
  } catch (const Error& error) {
    if (error.code() == Code::invalid_argument) throw TooManyRejects(error);
    throw;
  }
}

void TableCopy::finish(tables::TableProgress& progress, const Call& call) {
  progress.done = true;
  writer_.mark_done(run_.id, progress, call);
  remember(run_, progress);
}

std::uint64_t TableCopy::advance_sequences(const Call& call) {
  std::uint64_t moved = 0;
  for (const auto& table : plan_.tables) {
    lock_.check(call);
    moved += writer_.advance_sequences(table.rows.target.table, call);
  }
  return moved;
}

}  // namespace threadkeep::migration
