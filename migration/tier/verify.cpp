// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/verify.hpp"

#include <algorithm>

namespace threadkeep::migration {

namespace {

// Rows without a key cannot be told apart: they are counted.
void compare_counts(const TablePlan& table, tables::Snapshot& source, tables::Snapshot& target,
                    const Call& call, TableVerdict& verdict) {
  verdict.row_count = from_source([&] { return source.count(table.source, call); });
  const auto there = target.count(table.rows.target.table, call);
  if (there < verdict.row_count) verdict.differences.missing = verdict.row_count - there;
  if (there > verdict.row_count) verdict.differences.extra = there - verdict.row_count;
}

void compare_rows(const TablePlan& table, tables::Snapshot& source, tables::Writer& writer,
                  BatchLimits limits, const Call& call, TableVerdict& verdict) {
  ReadAhead rows(source, table.source, selection_of(table, table.everything), limits, call);
  const auto comparison = writer.compare(table.everything.target, call);
  while (const auto batch = rows.next()) {
    verdict.row_count += batch->rows;
    comparison->add(*batch, call);
  }
  verdict.differences = comparison->finish(call);
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
                           tables::Writer& writer, BatchLimits limits,
                           const std::function<void(const TableVerdict&)>& each, const Call& call) {
  Verification verification;
  for (const auto& table : plan.tables) {
    TableVerdict verdict;
    verdict.table = table.name();
    if (table.keyless()) {
      compare_counts(table, source, target, call, verdict);
    } else {
      compare_rows(table, source, writer, limits, call, verdict);
    }
    verdict.orphans = writer.orphans(table.rows.target.table, call);
    verdict.sequences = writer.sequences_behind(table.rows.target.table, call);
    if (each) each(verdict);
    verification.tables.push_back(std::move(verdict));
  }
  return verification;
}

}  // namespace threadkeep::migration
