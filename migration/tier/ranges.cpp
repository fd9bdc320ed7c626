// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/ranges.hpp"

#include <algorithm>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "migration/tier/line_digest.hpp"

namespace threadkeep::migration {

namespace {

using tables::Digest;
using tables::KeyRange;
using tables::KeyValues;
using tables::Kind;
using tables::Snapshot;

// After so many ranges of which none is equal the others are not looked at.
constexpr std::size_t patience = 4;
constexpr std::uint64_t fewest_rows = 500;
constexpr std::uint64_t most_rows = 20'000;

/// The ranges of the source, one after the other.
class SourceRanges {
 public:
  virtual ~SourceRanges() = default;
  virtual DigestedRange next() = 0;
};

// What the lines of a pass hold, by the names of the source.
std::vector<tables::LineColumn> columns_of_source(const Pass& pass) {
  auto columns = pass.target.columns;
  for (std::size_t i = 0; i < columns.size(); ++i) columns[i].name = pass.read[i];
  return columns;
}

/// Of a source that makes digests itself.
class DigestedRanges final : public SourceRanges {
 public:
  DigestedRanges(Snapshot& source, const TablePlan& table, const Pass& pass, bool of_values,
                 std::uint64_t rows, const Call& call)
      : source_(source),
        table_(table.source),
        columns_{columns_of_source(pass), table.expiry, of_values},
        rows_(rows),
        call_(call) {}

  DigestedRange next() override {
    DigestedRange read;
    read.range.from = after_.empty() ? tables::Cursor() : source_.cursor_after(after_);
    const auto last = source_.key_after(table_, after_, rows_, call_);
    read.is_last = !last;
    read.range.keys = {after_, last.value_or(KeyValues())};
    read.digest = source_.digest(table_, columns_, read.range.keys, call_);
    read.range.rows = read.digest.rows;
    after_ = read.range.keys.last;
    return read;
  }

 private:
  Snapshot& source_;
  const tables::Table& table_;
  const Snapshot::DigestColumns columns_;
  const std::uint64_t rows_;
  const Call& call_;
  KeyValues after_;
};

/// Of a source whose rows have to be read.
class ReadRanges final : public SourceRanges {
 public:
  ReadRanges(Snapshot& source, const TablePlan& table, const Pass& pass, BatchLimits limits,
             const Call& call)
      : reader_(source.read(table.source, selection_of(table, pass), call)),
        ranges_(table, pass),
        limits_(limits),
        call_(call) {}

  DigestedRange next() override {
    const auto batch = reader_->next(limits_.rows, limits_.bytes, call_);
    return batch ? ranges_.next(*batch) : ranges_.end();
  }

 private:
  const std::unique_ptr<tables::RowReader> reader_;
  LineRanges ranges_;
  const BatchLimits limits_;
  const Call& call_;
};

/// Of rows that were read before.
class KnownRanges final : public SourceRanges {
 public:
  explicit KnownRanges(const std::vector<DigestedRange>& ranges) : next_(ranges.begin()) {}

  DigestedRange next() override { return *next_++; }

 private:
  std::vector<DigestedRange>::const_iterator next_;
};

std::uint64_t rows_of_a_range(const TablePlan& table, BatchLimits limits) {
  const auto bytes = table.source.estimated_bytes.value_or(0);
  const auto one = std::max<std::uint64_t>(bytes / std::max<std::uint64_t>(table.row_count, 1), 1);
  return std::clamp<std::uint64_t>(limits.bytes / one, fewest_rows, most_rows);
}

std::unique_ptr<SourceRanges> ranges_of(Snapshot& source, const TablePlan& table, const Pass& pass,
                                        bool of_values, BatchLimits limits, const Call& call) {
  limits.rows = std::min(limits.rows, rows_of_a_range(table, limits));
  if (source.has_digests()) {
    return std::make_unique<DigestedRanges>(source, table, pass, of_values, limits.rows, call);
  }
  return std::make_unique<ReadRanges>(source, table, pass, limits, call);
}

void append(std::vector<RowRange>& ranges, RowRange range) {
  if (ranges.empty() || ranges.back().equal != range.equal) {
    ranges.push_back(std::move(range));
    return;
  }
  ranges.back().keys.last = std::move(range.keys.last);
  ranges.back().rows += range.rows;
}

// What has not been looked at. How many rows the source has there follows from its count.
RowRange rest_of(const TablePlan& table, const std::vector<RowRange>& ranges,
                 const RowRange& next) {
  RowRange rest = next;
  rest.equal = false;
  rest.keys.last.clear();
  rest.rows = table.row_count - std::min(table.row_count, rows_in(ranges));
  return rest;
}

/// Compares ranges while the next ones are read: as many at a time as there are snapshots of the
/// target.
class RangeComparison {
 public:
  RangeComparison(SourceRanges& source, const TablePlan& table, const Pass& pass, bool of_values,
                  std::vector<Snapshot*> targets, const Call& call)
      : source_(source),
        table_(table),
        there_(pass.target.table),
        columns_{pass.target.columns, {}, of_values},
        targets_(std::move(targets)),
        call_(call) {}

  std::vector<RowRange> run() && {
    for (bool more = true; more || !under_way_.empty();) {
      std::optional<DigestedRange> read;
      if (more) read = from_source([&] { return source_.next(); });
      more = read && !read->is_last;
      if (!read || under_way_.size() == targets_.size()) finish_first();
      if (is_hopeless() && (read || !under_way_.empty())) {
        append(found_, rest_of(table_, found_,
                               under_way_.empty() ? read->range : under_way_.front().range));
        break;
      }
      if (read) begin(std::move(*read));
    }
    return std::move(found_);
  }

 private:
  struct UnderWay {
    RowRange range;
    std::future<bool> equal;
  };

  void begin(DigestedRange read) {
    Snapshot& target = *targets_[begun_++ % targets_.size()];
    auto equal = std::async(std::launch::async, [&, keys = read.range.keys, digest = read.digest] {
      return target.digest(there_, columns_, keys, call_) == digest;
    });
    under_way_.push_back({std::move(read.range), std::move(equal)});
  }

  void finish_first() {
    RowRange range = std::move(under_way_.front().range);
    range.equal = under_way_.front().equal.get();
    under_way_.pop_front();
    append(found_, std::move(range));
    ++finished_;
  }

  bool is_hopeless() const {
    return finished_ >= patience && found_.size() == 1 && !found_.front().equal;
  }

  SourceRanges& source_;
  const TablePlan& table_;
  const tables::Table& there_;
  const Snapshot::DigestColumns columns_;
  const std::vector<Snapshot*> targets_;
  const Call& call_;
  std::size_t begun_ = 0;
  std::size_t finished_ = 0;
  std::vector<RowRange> found_;
  std::deque<UnderWay> under_way_;  // The last: what is under way uses the others.
};

}  // namespace

LineRanges::LineRanges(const TablePlan& table, const Pass& pass) : columns_(pass.target.columns) {
  for (const auto& name : table.source.key) {
    const auto at = std::find(pass.read.begin(), pass.read.end(), name);
    places_.push_back(static_cast<std::size_t>(at - pass.read.begin()));
  }
}

DigestedRange LineRanges::next(const tables::Batch& batch) {
  DigestedRange read;
  read.range.keys.after = std::move(after_);
  read.range.from = std::move(from_);
  read.digest = digest_of_lines(batch.lines, columns_);
  read.range.rows = batch.rows;
  read.range.keys.last = after_ = last_key(batch.lines, places_);
  from_ = batch.end;
  return read;
}

DigestedRange LineRanges::end() const {
  DigestedRange read;
  read.range.keys.after = after_;
  read.range.from = from_;
  read.is_last = true;
  return read;
}

bool comparable_by_digest(const tables::Table& source, const Pass& pass, const Snapshot& target) {
  const auto& there = pass.target.table;
  if (!target.has_digests() || there.key.empty() || source.key.size() != there.key.size()) {
    return false;
  }
  std::size_t keys = 0;
  for (std::size_t i = 0; i < pass.read.size(); ++i) {
    const auto* ours = source.find(pass.read[i]);
    const auto* theirs = there.find(pass.target.columns[i].name);
    if (ours == nullptr || theirs == nullptr || ours->kind != theirs->kind) return false;
    const auto key = std::find(source.key.begin(), source.key.end(), ours->name);
    if (key == source.key.end()) continue;
    if (there.key[static_cast<std::size_t>(key - source.key.begin())] != theirs->name) return false;
    ++keys;
  }
  return keys == source.key.size();
}

Snapshot::Selection selection_of(const TablePlan& table, const Pass& pass, const RowRange& range) {
  auto selection = selection_of(table, pass, range.from);
  if (!range.keys.last.empty()) selection.limit = range.rows;
  return selection;
}

bool has_one_order(const tables::Table& table, const Snapshot& source) {
  return std::all_of(table.key.begin(), table.key.end(), [&](const auto& name) {
    const auto* column = table.find(name);
    if (column == nullptr) return false;
    switch (column->kind) {
      case Kind::integer:
        return true;
      case Kind::numeric:
      case Kind::bytes:
      case Kind::timestamp:
      case Kind::timestamp_with_zone:
      case Kind::date:
      case Kind::time:
      case Kind::uuid:
        return source.has_digests();  // the same engine
      default:
        return false;
    }
  });
}

std::vector<RowRange> compare_ranges(const TablePlan& table, const Pass& pass, Snapshot& source,
                                     Snapshot& target, DigestOf what, BatchLimits limits,
                                     const Call& call) {
  const bool of_values = what == DigestOf::values && !source.value_hashes().empty() &&
                         source.value_hashes() == target.value_hashes();
  const auto source_ranges =
      from_source([&] { return ranges_of(source, table, pass, of_values, limits, call); });
  return RangeComparison(*source_ranges, table, pass, of_values, {&target}, call).run();
}

std::vector<RowRange> compare_ranges(const TablePlan& table, const Pass& pass,
                                     const std::vector<DigestedRange>& copied, Snapshot& target,
                                     const Call& call) {
  KnownRanges ranges(copied);
  std::vector<Snapshot*> targets = {&target};
  const auto second = copied.size() > patience ? target.same_moment(call) : nullptr;
  if (second) targets.push_back(second.get());
  return RangeComparison(ranges, table, pass, false, std::move(targets), call).run();
}

bool all_equal(const std::vector<RowRange>& ranges) noexcept {
  return std::all_of(ranges.begin(), ranges.end(), [](const auto& each) { return each.equal; });
}

// In one order each row of the target is in one of the ranges.
bool are_all_rows(const std::vector<RowRange>& ranges, const tables::Table& table,
                  const Snapshot& source, Snapshot& target, const Call& call) {
  if (!all_equal(ranges)) return false;
  return has_one_order(table, source) || target.count(table, call) == rows_in(ranges);
}

std::uint64_t rows_in(const std::vector<RowRange>& ranges) noexcept {
  std::uint64_t rows = 0;
  for (const auto& range : ranges) rows += range.rows;
  return rows;
}

}  // namespace threadkeep::migration
