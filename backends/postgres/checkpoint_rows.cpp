// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_rows.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

enum Kind { checkpoint_kind = 0, value_kind = 1, write_kind = 2 };

namespace column {
enum Column { kind, item, text_1, text_2, text_3, text_4, number, payload, document, metadata };
}

CheckpointTuple read_checkpoint(const Result& rows, std::size_t row) {
  return {.thread_id = rows.text(row, column::text_3),
          .checkpoint_ns = rows.text(row, column::text_4),
          .checkpoint_id = rows.text(row, column::text_1),
          .parent_checkpoint_id = rows.optional_text(row, column::text_2),
          .document = rows.json(row, column::document),
          .metadata = rows.json(row, column::metadata),
          .values = {},
          .writes = {}};
}

Blob read_value(const Result& rows, std::size_t row) {
  return {.channel = rows.text(row, column::text_1),
          .version = rows.text(row, column::text_2),
          .type = rows.text(row, column::text_3),
          .data = rows.bytes(row, column::payload)};
}

// LangGraph's tables allow a write without a type.
PendingWrite read_write(const Result& rows, std::size_t row) {
  return {.task_id = rows.text(row, column::text_2),
          .idx = static_cast<std::int32_t>(rows.integer(row, column::number)),
          .channel = rows.text(row, column::text_1),
          .task_path = rows.text(row, column::text_4),
          .type = rows.text(row, column::text_3),
          .data = rows.bytes(row, column::payload)};
}

[[noreturn]] void refuse_place() {
  throw Error(Code::corrupt, "the server's answer names a checkpoint that is not in it");
}

// Calls back for each number of "1,2,9".
template <class Use>
void for_each_item(std::string_view items, Use use) {
  const char* at = items.data();
  const char* const end = at + items.size();
  while (at < end) {
    std::size_t item = 0;
    const auto read = std::from_chars(at, end, item);
    if (read.ec != std::errc() || item == 0) refuse_place();
    at = read.ptr + 1;
    use(item);
  }
}

// Counts from 1. What the network has changed must not become the size of a container.
std::size_t item_of(const Result& rows, std::size_t row, std::size_t most) {
  const std::int64_t item = rows.integer(row, column::item);
  if (item < 1 || static_cast<std::uint64_t>(item) > most) refuse_place();
  return static_cast<std::size_t>(item);
}

// Checkpoints come first, each in its place.
CheckpointRows read_places(const Result& rows) {
  CheckpointRows read;
  std::size_t before_cut = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (rows.integer(row, column::kind) != checkpoint_kind) continue;
    before_cut = static_cast<std::size_t>(rows.integer(row, column::number));
    const std::size_t item = item_of(rows, row, rows.size());
    if (read.tuples.size() < item) read.tuples.resize(item);
    read.tuples[item - 1] = read_checkpoint(rows, row);
  }
  read.more = read.tuples.size() < before_cut;
  return read;
}

}  // namespace

CheckpointRows read_checkpoints(const Result& rows) {
  CheckpointRows read = read_places(rows);
  auto& tuples = read.tuples;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto kind = rows.integer(row, column::kind);
    if (kind == value_kind) {
      const Blob value = read_value(rows, row);
      // It may also belong to checkpoints that were cut off.
      for_each_item(rows.view(row, column::text_4), [&](std::size_t item) {
        if (item <= tuples.size()) tuples[item - 1].values.push_back(value);
      });
    } else if (kind == write_kind) {
      tuples[item_of(rows, row, tuples.size()) - 1].writes.push_back(read_write(rows, row));
    }
  }
  for (CheckpointTuple& tuple : tuples) {
    std::sort(tuple.values.begin(), tuple.values.end(),
              [](const Blob& a, const Blob& b) { return a.channel < b.channel; });
    sort_writes(tuple.writes);
  }
  return read;
}

void sort_writes(std::vector<PendingWrite>& writes) {
  std::sort(writes.begin(), writes.end(), [](const PendingWrite& a, const PendingWrite& b) {
    return std::tie(a.task_path, a.task_id, a.idx) < std::tie(b.task_path, b.task_id, b.idx);
  });
}

}  // namespace threadkeep::postgres
