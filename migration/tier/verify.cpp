// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/verify.hpp"

#include <algorithm>
#include <utility>

#include "migration/tier/ranges.hpp"

namespace threadkeep::migration {

namespace {

constexpr std::size_t most_examples = 10;

/// What a comparison of a table needs.
struct Sides {
  const TablePlan& table;
  tables::Snapshot& source;
  tables::Snapshot& target;
  tables::Writer& writer;
  const BatchLimits limits;
  const Call& call;
};

void add(tables::Differences& all, tables::Differences more) {
  all.missing += more.missing;
  all.different += more.different;
  all.extra += more.extra;
  for (auto& example : more.examples) {
    if (all.examples.size() < most_examples) all.examples.push_back(std::move(example));
  }
}

void compare_rows(const Sides& sides, tables::Snapshot::Selection selection,
                  tables::Comparison& comparison, TableVerdict& verdict) {
  ReadAhead rows(sides.source, sides.table.source, std::move(selection), sides.limits, sides.call);
  while (const auto batch = rows.next()) {
    verdict.row_count += batch->rows;
    comparison.add(*batch, sides.call);
  }
  add(verdict.differences, comparison.finish(sides.call));
}

void compare_all_rows(const Sides& sides, TableVerdict& verdict) {
  const auto& pass = sides.table.everything;
  tables::Target target = pass.target;
  if (sides.table.keyless()) target.table.key.clear();  // rows are known by all they hold
  const auto comparison = sides.writer.compare(target, sides.call);
  compare_rows(sides, selection_of(sides.table, pass), *comparison, verdict);
}

void compare_range(const Sides& sides, const RowRange& range, TableVerdict& verdict) {
  const auto& pass = sides.table.everything;
  const auto comparison = sides.writer.compare_range(pass.target, range.keys, sides.call);
  compare_rows(sides, selection_of(sides.table, pass, range), *comparison, verdict);
}

// Ranges with equal digests have equal rows; rows are looked at where they differ. Whether that can
// tell: where a range may have other rows in the target than in the source, it can only find that
// all is equal, by as many rows as there are.
bool compare_by_digest(const Sides& sides, TableVerdict& verdict) {
  const auto& [table, source, target, writer, limits, call] = sides;
  const auto& pass = table.everything;
  if (!comparable_by_digest(table.source, pass, target)) return false;
  const auto ranges = compare_ranges(table, pass, source, target, limits, call);
  const bool equal = all_equal(ranges);
  if (equal ? target.count(pass.target.table, call) != rows_in(ranges)
            : !has_one_order(pass.target.table, source)) {
    return false;
  }
  for (const auto& range : ranges) {
    if (range.equal) {
      verdict.row_count += range.rows;
    } else {
      compare_range(sides, range, verdict);
    }
  }
  return true;
}

// A row that is left behind may have been copied before its time has passed.
void forgive_expired(const Sides& sides, TableVerdict& verdict) {
  const auto& expiry = sides.table.expiry;
  auto& extra = verdict.differences.extra;
  if (!expiry || extra == 0) return;
  const auto& there = sides.table.everything.target.table;
  extra -= there.find(*expiry)
               ? std::min(extra, sides.target.count_expired(there, *expiry, sides.call))
               : extra;
}

void take_off(std::uint64_t& found, std::uint64_t expected) {
  found -= std::min(found, expected);
}

}  // namespace

bool Verification::holds() const noexcept {
  return std::all_of(tables.begin(), tables.end(), [](const auto& each) { return each.holds(); });
}

Verification unexpected(Verification found, const Plan& /*plan*/, const Expected& expected) {
  for (auto& verdict : found.tables) {
    auto& differences = verdict.differences;
    for (const auto& progress : expected.tables) {
      if (progress.table != verdict.table) continue;
      if (progress.pass == 1) {
        // A rejected row is missing, or is there as it was before.
        const auto missing = std::min(differences.missing, progress.counts.rejected);
        differences.missing -= missing;
        take_off(differences.different, progress.counts.rejected - missing + progress.counts.kept);
      } else {
        take_off(differences.different, progress.counts.rejected);
      }
    }
    if (expected.extra_rows) differences.extra = 0;
  }
  return found;
}

Verification verify_tables(const Plan& plan, tables::Snapshot& source, tables::Snapshot& target,
                           tables::Writer& writer, const VerifyOptions& options, const Call& call) {
  Verification verification;
  for (const auto& table : plan.tables) {
    TableVerdict verdict;
    verdict.table = table.name();
    const Sides sides{table, source, target, writer, options.limits, call};
    if (options.rows_are_equal && !table.keyless()) {
      verdict.row_count = table.row_count;
    } else if (table.keyless() || !compare_by_digest(sides, verdict)) {
      compare_all_rows(sides, verdict);
    }
    forgive_expired(sides, verdict);
    verdict.orphans = writer.orphans(table.rows.target.table, call);
    verdict.sequences = writer.sequences_behind(table.rows.target.table, call);
    if (options.each) options.each(verdict);
    verification.tables.push_back(std::move(verdict));
  }
  return verification;
}

}  // namespace threadkeep::migration
