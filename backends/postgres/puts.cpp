// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "mutations.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::postgres {

namespace {

// Of one statement: the protocol allows 65,535 parameters and a message of nearly 1 GB, of which a
// checkpoint's document, metadata and one blob may take three quarters.
constexpr std::size_t most_rows = 1'000;
constexpr std::size_t most_bytes = std::size_t{256} * 1024 * 1024;

template <class Row>
using Rows = std::vector<const Row*>;

std::size_t size_of(const Blob& blob) {
  return blob.data.size();
}

std::size_t size_of(const PendingWrite& write) {
  return write.data.size() + write.task_path.size();
}

// The rows of each statement; one at least, which may have no rows.
template <class Row>
std::vector<Rows<Row>> split(const Rows<Row>& rows) {
  std::vector<Rows<Row>> parts(1);
  std::size_t bytes = 0;
  for (const Row* row : rows) {
    const bool full = parts.back().size() == most_rows || bytes + size_of(*row) > most_bytes;
    if (full && !parts.back().empty()) {
      parts.emplace_back();
      bytes = 0;
    }
    parts.back().push_back(row);
    bytes += size_of(*row);
  }
  return parts;
}

// True when they may not fit into one statement.
template <class Row>
bool is_large(const std::vector<Row>& rows) {
  std::size_t bytes = 0;
  for (const Row& row : rows) bytes += size_of(row);
  return rows.size() > most_rows || bytes > most_bytes;
}

auto key(const Blob& blob) {
  return std::tie(blob.channel, blob.version);
}

auto key(const PendingWrite& write) {
  return std::tie(write.task_id, write.idx);
}

// Everybody inserts in one order, so that two who insert the same rows do not wait in a circle.
template <class Row>
Rows<Row> in_order(const std::vector<Row>& rows) {
  Rows<Row> ordered;
  for (const Row& row : rows) ordered.push_back(&row);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Row* a, const Row* b) { return key(*a) < key(*b); });
  return ordered;
}

// ---- Checkpoints ----

void add_key(Parameters& parameters, const PutCheckpoint& put) {
  parameters.text(put.thread_id).text(put.checkpoint_ns).text(put.checkpoint_id);
  parameters.text(put.parent_checkpoint_id).json(put.document).json(put.metadata);
}

void add_blobs(Parameters& parameters, const Rows<Blob>& blobs) {
  for (const Blob* blob : blobs) {
    parameters.text(blob->channel).text(blob->version).text(blob->type).bytes(blob->data);
  }
}

void check_verdict(std::string_view verdict, const PutCheckpoint& put) {
  if (verdict == "deleted") {
    throw Error(Code::conflict, "parent_checkpoint_id '" + *put.parent_checkpoint_id +
                                    "' was deleted; load the thread again and go on from there");
  }
  if (verdict == "stale") {
    throw Error(Code::conflict,
                "parent_checkpoint_id is not the latest checkpoint any more; load the thread again "
                "and go on from there");
  }
}

Written read_put(const PutCheckpoint& put, std::span<const Result> results) {
  const std::string_view verdict = results[0].view(0, 0);
  check_verdict(verdict, put);
  auto inserted = static_cast<std::uint64_t>(results[0].integer(0, 1));
  for (const Result& more : results.subspan(1)) inserted += more.affected();
  Written written{.changed = inserted, .kept = put.blobs.size() - inserted};
  ++(verdict == "equal" ? written.kept : written.changed);
  return written;
}

// ---- Pending writes ----

// A statement must not name a row twice, so what a row would become is decided here.
struct Distinct {
  Rows<PendingWrite> rows;
  Written repeated;  // what the writes that are not among them count as
};

Distinct distinct(const PutWrites& put) {
  Distinct distinct;
  for (const PendingWrite* write : in_order(put.writes)) {
    const bool again = !distinct.rows.empty() && key(*distinct.rows.back()) == key(*write);
    if (!again) {
      distinct.rows.push_back(write);
    } else if (write->idx < 0) {
      distinct.rows.back() = write;
      ++distinct.repeated.changed;
    } else {
      ++distinct.repeated.kept;
    }
  }
  return distinct;
}

void add_times(Parameters& parameters, const Writing& writing) {
  parameters.timestamp(writing.now).timestamp(writing.now - touch_granularity);
}

void add_writes(Parameters& parameters, const Writing& writing, const PutWrites& put,
                const Rows<PendingWrite>& writes) {
  parameters.text(put.thread_id).text(put.checkpoint_ns).text(put.checkpoint_id);
  add_times(parameters, writing);
  for (const PendingWrite* write : writes) {
    parameters.text(write->task_id).integer(write->idx).text(write->channel);
    parameters.text(write->task_path).text(write->type).bytes(write->data);
  }
}

Written read_put_writes(const PutWrites& put, std::size_t rows, const Written& repeated,
                        std::span<const Result> results) {
  std::uint64_t stored = 0;
  for (const Result& result : results) {
    if (result.boolean(0, 0)) return {.dropped = put.writes.size()};
    stored += static_cast<std::uint64_t>(result.integer(0, 1));
  }
  return {.changed = stored + repeated.changed, .kept = rows - stored + repeated.kept};
}

}  // namespace

bool needs_thread_alone(const PutCheckpoint& put) {
  return put.require_latest_parent || is_large(put.blobs);
}

bool needs_thread_alone(const PutWrites& put) {
  return is_large(put.writes);
}

Reading add_put(Pipeline& pipeline, const Writing& writing, const PutCheckpoint& put) {
  const auto& statements = writing.statements;
  const auto parts = split(in_order(put.blobs));
  Parameters& first = pipeline.add(
      put.require_latest_parent ? statements.put_latest : statements.put, parts.front().size());
  add_key(first, put);
  add_times(first, writing);
  add_blobs(first, parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    Parameters& more = pipeline.add(statements.put_blobs, parts[i].size());
    add_key(more, put);
    add_blobs(more, parts[i]);
  }
  return [&put](std::span<const Result> results) { return read_put(put, results); };
}

Reading add_put_writes(Pipeline& pipeline, const Writing& writing, const PutWrites& put) {
  const auto [rows, repeated] = distinct(put);
  for (const auto& part : split(rows)) {
    if (part.empty()) continue;
    add_writes(pipeline.add(writing.statements.put_writes, part.size()), writing, put, part);
  }
  return [&put, count = rows.size(), again = repeated](std::span<const Result> results) {
    return read_put_writes(put, count, again, results);
  };
}

Reading add_put_thread(Pipeline& pipeline, const Writing& writing, const PutThread& put) {
  Parameters& parameters = pipeline.add(writing.statements.put_thread);
  parameters.text(put.thread_id).json(put.metadata);
  add_times(parameters, writing);
  return [](std::span<const Result> results) {
    return results[0].affected() == 0 ? Written{.kept = 1} : Written{.changed = 1};
  };
}

}  // namespace threadkeep::postgres
