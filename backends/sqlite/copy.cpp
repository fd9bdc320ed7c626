// SPDX-License-Identifier: Apache-2.0
#include "mutations.hpp"
#include "tables.hpp"

namespace threadkeep::sqlite {

namespace {

// A tombstone is not a thread.
bool is_absent(Connection& connection, const std::string& thread_id) {
  Rows rows = connection.query(
      "SELECT NOT EXISTS (SELECT 1 FROM threadkeep_threads WHERE thread_id = ?1)"
      " AND NOT EXISTS (SELECT 1 FROM checkpoint_writes WHERE thread_id = ?1)",
      thread_id);
  rows.next();
  return rows.integer(0) != 0;
}

void check_target(Connection& connection, const CopyThread& copy) {
  const bool has_others = connection
                              .query(
                                  "SELECT 1 FROM checkpoints AS target WHERE thread_id = ?2 "
                                  "AND NOT EXISTS (SELECT 1 FROM checkpoints AS source "
                                  "WHERE source.thread_id = ?1 "
                                  "AND source.checkpoint_ns = target.checkpoint_ns "
                                  "AND source.checkpoint_id = target.checkpoint_id) LIMIT 1",
                                  copy.source_thread_id, copy.target_thread_id)
                              .next();
  if (!has_others) return;
  throw Error(Code::conflict, "target_thread_id '" + copy.target_thread_id +
                                  "' holds checkpoints that the source does not have; choose "
                                  "another target or delete it first");
}

std::uint64_t count_checkpoints(Connection& connection, const std::string& thread_id) {
  Rows rows = connection.query("SELECT count(*) FROM checkpoints WHERE thread_id = ?1", thread_id);
  rows.next();
  return static_cast<std::uint64_t>(rows.integer(0));
}

// What the target has already stays.
std::uint64_t copy_rows(Connection& connection, const CopyThread& copy) {
  const auto& source = copy.source_thread_id;
  const auto& target = copy.target_thread_id;
  connection.execute(
      "INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob) "
      "SELECT ?2, checkpoint_ns, channel, version, type, blob FROM checkpoint_blobs "
      "WHERE thread_id = ?1 ON CONFLICT DO NOTHING",
      source, target);
  connection.execute(
      "INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, "
      "channel, type, task_path, blob) "
      "SELECT ?2, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, task_path, blob "
      "FROM checkpoint_writes WHERE thread_id = ?1 ON CONFLICT DO NOTHING",
      source, target);
  return static_cast<std::uint64_t>(connection.execute(
      "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, "
      "run_id, metadata, checkpoint) "
      "SELECT ?2, checkpoint_ns, checkpoint_id, parent_checkpoint_id, run_id, metadata, checkpoint "
      "FROM checkpoints WHERE thread_id = ?1 ON CONFLICT DO NOTHING",
      source, target));
}

void copy_thread_row(Connection& connection, const CopyThread& copy, bool changed,
                     std::int64_t now) {
  const auto source = find_thread_metadata(connection, copy.source_thread_id);
  const bool is_new = !find_thread_metadata(connection, copy.target_thread_id);
  if ((source && is_new) || changed) touch_thread(connection, copy.target_thread_id, now);
  if (!source || !is_new) return;
  connection.execute("UPDATE threadkeep_threads SET metadata = ?2 WHERE thread_id = ?1",
                     copy.target_thread_id, *source);
}

}  // namespace

Written copy_thread(Connection& connection, const CopyThread& copy, std::int64_t now) {
  if (is_absent(connection, copy.source_thread_id)) return {};
  check_target(connection, copy);
  const std::uint64_t in_source = count_checkpoints(connection, copy.source_thread_id);
  const std::uint64_t copied = copy_rows(connection, copy);
  copy_thread_row(connection, copy, copied > 0, now);
  return {.changed = copied, .kept = in_source - copied};
}

}  // namespace threadkeep::sqlite
