// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_reader.hpp"

#include <algorithm>

#include "threadkeep/backend_support.hpp"

namespace threadkeep::sqlite {

namespace {

CheckpointTuple read_row(Connection& connection, std::int64_t rowid) {
  Rows rows = connection.query(
      "SELECT thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, metadata, checkpoint "
      "FROM checkpoints WHERE rowid = ?1",
      rowid);
  rows.next();
  return {.thread_id = rows.text(0),
          .checkpoint_ns = rows.text(1),
          .checkpoint_id = rows.text(2),
          .parent_checkpoint_id = rows.optional_text(3),
          .document = rows.text(5),
          .metadata = rows.text(4),
          .values = {},
          .writes = {}};
}

}  // namespace

std::optional<Blob> find_value(Connection& connection, const std::string& thread_id,
                               const std::string& checkpoint_ns, const std::string& channel,
                               const std::string& version) {
  Rows rows = connection.query(
      "SELECT type, blob FROM checkpoint_blobs "
      "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND channel = ?3 AND version = ?4",
      thread_id, checkpoint_ns, channel, version);
  if (!rows.next() || rows.view(0) == empty_type) return {};
  return Blob{channel, version, rows.text(0), rows.bytes(1)};
}

// Sorted here and not by SQLite, whose sorter would carry the payloads about.
std::vector<PendingWrite> read_writes(Connection& connection, const std::string& thread_id,
                                      const std::string& checkpoint_ns,
                                      const std::string& checkpoint_id) {
  std::vector<PendingWrite> writes;
  Rows rows = connection.query(
      "SELECT task_id, idx, channel, task_path, type, blob FROM checkpoint_writes "
      "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id = ?3 "
      "ORDER BY task_id, idx",
      thread_id, checkpoint_ns, checkpoint_id);
  while (rows.next()) {
    writes.push_back({rows.text(0), static_cast<std::int32_t>(rows.integer(1)), rows.text(2),
                      rows.text(3), rows.text(4), rows.bytes(5)});
  }
  std::stable_sort(writes.begin(), writes.end(),
                   [](const auto& a, const auto& b) { return a.task_path < b.task_path; });
  return writes;
}

CheckpointTuple CheckpointReader::read(std::int64_t rowid) {
  CheckpointTuple tuple = read_row(connection_, rowid);
  if (include_.values) tuple.values = read_values(tuple);
  if (include_.writes) {
    tuple.writes =
        read_writes(connection_, tuple.thread_id, tuple.checkpoint_ns, tuple.checkpoint_id);
  }
  return tuple;
}

std::vector<Blob> CheckpointReader::read_values(const CheckpointTuple& tuple) {
  std::vector<Blob> values;
  Values& known = values_[{tuple.thread_id, tuple.checkpoint_ns}];
  for (auto& key : read_document(tuple.document).versions) {
    auto [place, is_new] = known.try_emplace(std::move(key));
    if (is_new) {
      const auto& [channel, version] = place->first;
      place->second =
          find_value(connection_, tuple.thread_id, tuple.checkpoint_ns, channel, version);
    }
    if (place->second) values.push_back(*place->second);
  }
  std::sort(values.begin(), values.end(),
            [](const Blob& a, const Blob& b) { return a.channel < b.channel; });
  return values;
}

}  // namespace threadkeep::sqlite
