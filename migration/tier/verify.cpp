// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/verify.hpp"

#include <algorithm>
#include <utility>

#include "migration/tier/ranges.hpp"

namespace threadkeep::migration {

namespace {

constexpr std::size_t most_examples = 10;

// Rows without a key cannot be told apart: they are counted.
void compare_counts(const TablePlan& table, tables::Snapshot& source, tables::Snapshot& target,
                    const Call& call, TableVerdict& verdict) {
  verdict.row_count = from_source([&] { return source.count(table.source, call); });
  const auto there = target.count(table.rows.target.table, call);
  if (there < verdict.row_count) verdict.differences.missing = verdict.row_count - there;
  if (there > verdict.row_count) verdict.differences.extra = there - verdict.row_count;
}

/// What a comparison of a table needs.
struct Sides {
  const TablePlan& table;
  tables::Snapshot& source;
  tables::Snapshot& target;
  tables::Writer& writer;
  const CopiedRanges* copied;
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
  const auto comparison = sides.writer.compare(pass.target, sides.call);
  compare_rows(sides, selection_of(sides.table, pass), *comparison, verdict);
}

void compare_range(const Sides& sides, const RowRange& range, TableVerdict& verdict) {
  const auto& pass = sides.table.everything;
  const auto comparison = sides.writer.compare_range(pass.target, range.keys, sides.call);
  compare_rows(sides, selection_of(sides.table, pass, range), *comparison, verdict);
}

// Of what a copy has read only the target is asked.
std::vector<RowRange> compare_ranges(const Sides& sides) {
  const auto& [table, source, target, writer, copied, limits, call] = sides;
  const auto& pass = table.everything;
  const auto known = copied ? copied->find(table.name()) : CopiedRanges::const_iterator();
  if (copied && known != copied->end()) {
    const bool changed =
        from_source([&] { return source.may_have_changed(table.source, table.row_count, call); });
    if (!changed) return compare_ranges(table, pass, known->second, target, call);
  }
  return compare_ranges(table, pass, source, target, DigestOf::texts, limits, call);
}

// Ranges with equal digests have equal rows; rows are looked at where they differ. Whether that can
// tell: where a range may have other rows in the target than in the source, it can only find that
// all is equal, by as many rows as there are.
bool compare_by_digest(const Sides& sides, TableVerdict& verdict) {
  const auto& [table, source, target, writer, copied, limits, call] = sides;
  const auto& pass = table.everything;
  if (!comparable_by_digest(table.source, pass, target)) return false;
  const auto ranges = compare_ranges(sides);
  const auto& there = pass.target.table;
  if (!has_one_order(there, source) && !are_all_rows(ranges, there, source, target, call)) {
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

void take_off(std::uint64_t& found, std::uint64_t expected) {
  found -= std::min(found, expected);
}

}  // namespace

bool Verification::holds() const noexcept {
  return std::all_of(tables.begin(), tables.end(), [](const auto& each) { return each.holds(); });
}

Verification unexpected(Verification found, const Plan& plan, const Expected& expected) {
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
    // A row may have expired in the source between copy and comparison.
    if (expected.extra_rows || plan.table(verdict.table).expiry) differences.extra = 0;
  }
  return found;
}

Verification verify_tables(const Plan& plan, tables::Snapshot& source, tables::Snapshot& target,
                           tables::Writer& writer, const VerifyOptions& options, const Call& call) {
  Verification verification;
  for (const auto& table : plan.tables) {
    TableVerdict verdict;
    verdict.table = table.name();
    const Sides sides{table, source, target, writer, options.copied, options.limits, call};
    if (table.keyless()) {
      compare_counts(table, source, target, call, verdict);
    } else if (options.rows_are_equal) {
      verdict.row_count = table.row_count;
    } else if (!compare_by_digest(sides, verdict)) {
      compare_all_rows(sides, verdict);
    }
    verdict.orphans = writer.orphans(table.rows.target.table, call);
    verdict.sequences = writer.sequences_behind(table.rows.target.table, call);
    if (options.each) options.each(verdict);
    verification.tables.push_back(std::move(verdict));
  }
  return verification;
}

}  // namespace threadkeep::migration
