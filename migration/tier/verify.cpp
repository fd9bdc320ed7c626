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
  const CopiedRanges* copied;
  const BatchLimits limits;
  const Call& call;
  const std::set<std::string> rejected;  ///< Keys.
  std::string rejected_lines = {};       ///< Of the source, which were met among others.
};

void add(tables::Differences& all, tables::Differences more) {
  all.missing += more.missing;
  all.different += more.different;
  all.extra += more.extra;
  all.newer += more.newer;
  for (auto& example : more.examples) {
    if (all.examples.size() < most_examples) all.examples.push_back(std::move(example));
  }
}

void pick_rejected(Sides& sides, std::string_view lines) {
  while (!sides.rejected.empty() && !lines.empty()) {
    const auto end = lines.find('\n');
    const auto line = lines.substr(0, end);
    if (sides.rejected.contains(tables::key_of(sides.table.everything.target, line))) {
      sides.rejected_lines.append(line).append("\n");
    }
    lines.remove_prefix(std::min(end, lines.size() - 1) + 1);
  }
}

// Once more, to know which of the differences are theirs.
void compare_rejected(const Sides& sides, TableVerdict& verdict) {
  const std::string& lines = sides.rejected_lines;
  if (lines.empty()) return;
  const auto rows = static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
  const auto comparison = sides.writer.compare(sides.table.everything.target, sides.call);
  comparison->add({lines, rows, {}}, sides.call);
  verdict.rejected = comparison->finish(sides.call);
  verdict.rejected.extra = 0;
}

void compare_rows(Sides& sides, tables::Snapshot::Selection selection,
                  tables::Comparison& comparison, TableVerdict& verdict) {
  ReadAhead rows(sides.source, sides.table.source, std::move(selection), sides.limits, sides.call);
  while (const auto batch = rows.next()) {
    verdict.row_count += batch->rows;
    pick_rejected(sides, batch->lines);
    comparison.add(*batch, sides.call);
  }
  add(verdict.differences, comparison.finish(sides.call));
}

void compare_all_rows(Sides& sides, TableVerdict& verdict) {
  const auto& pass = sides.table.everything;
  tables::Target target = pass.target;
  if (sides.table.keyless()) target.table.key.clear();  // rows are known by all they hold
  const auto comparison = sides.writer.compare(target, sides.call);
  compare_rows(sides, selection_of(sides.table, pass), *comparison, verdict);
}

void compare_range(Sides& sides, const RowRange& range, TableVerdict& verdict) {
  const auto& pass = sides.table.everything;
  const auto comparison = sides.writer.compare_range(pass.target, range.keys, sides.call);
  compare_rows(sides, selection_of(sides.table, pass, range), *comparison, verdict);
}

// Of what a copy has read only the target is asked.
std::vector<RowRange> compare_ranges(const Sides& sides) {
  const auto& table = sides.table;
  const auto& pass = table.everything;
  const auto known =
      sides.copied ? sides.copied->find(table.name()) : CopiedRanges::const_iterator();
  if (sides.copied && known != sides.copied->end()) {
    const bool changed = from_source(
        [&] { return sides.source.may_have_changed(table.source, table.row_count, sides.call); });
    if (!changed) return compare_ranges(table, pass, known->second, sides.target, sides.call);
  }
  return compare_ranges(table, pass, sides.source, sides.target, DigestOf::texts, sides.limits,
                        sides.call);
}

// Ranges with equal digests have equal rows; rows are looked at where they differ. Whether that can
// tell: where a range may have other rows in the target than in the source, it can only find that
// all is equal, by as many rows as there are.
bool compare_by_digest(Sides& sides, TableVerdict& verdict) {
  const auto& table = sides.table;
  const auto& pass = table.everything;
  if (!comparable_by_digest(table.source, pass, sides.target)) return false;
  const auto ranges = compare_ranges(sides);
  const auto& there = pass.target.table;
  if (!has_one_order(there, sides.source) &&
      !are_all_rows(ranges, there, sides.source, sides.target, sides.call)) {
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

std::set<std::string> rejected_of(const TablePlan& table, const VerifyOptions& options) {
  if (!options.rejected || table.keyless()) return {};
  return options.rejected(table.name());
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

std::uint64_t kept_rows(const Expected& expected, const TableVerdict& verdict) {
  std::uint64_t kept = verdict.rejected.newer;
  for (const auto& progress : expected.tables) {
    if (progress.table == verdict.table && progress.pass == 1) kept += progress.counts.kept;
  }
  return kept;
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
    // A rejected row is missing, or is there as it was before; then it may be newer too. Rows that
    // are newer by something else than that the run kept them are told.
    take_off(differences.missing, verdict.rejected.missing);
    take_off(differences.different, verdict.rejected.different - verdict.rejected.newer +
                                        std::min(differences.newer, kept_rows(expected, verdict)));
    differences.newer = 0;
    if (plan.table(verdict.table).keyless()) {
      for (const auto& progress : expected.tables) {
        if (progress.table != verdict.table) continue;
        take_off(differences.missing, progress.counts.rejected);
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
    Sides sides{table,          source,         target, writer,
                options.copied, options.limits, call,   rejected_of(table, options)};
    if (options.rows_are_equal && !table.keyless()) {
      verdict.row_count = table.row_count;
    } else {
      if (table.keyless() || !compare_by_digest(sides, verdict)) compare_all_rows(sides, verdict);
      compare_rejected(sides, verdict);
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
