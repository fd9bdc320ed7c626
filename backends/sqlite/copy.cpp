// SPDX-License-Identifier: Apache-2.0
#include "mutations.hpp"
#include "session_rows.hpp"
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

// What the target had once counts too: its seqs are not to come again.
void check_messages(Connection& connection, const CopyThread& copy) {
  const bool differs =
      connection
          .query(
              "SELECT 1 WHERE EXISTS (SELECT 1 FROM threadkeep_streams WHERE thread_id = ?2) "
              "AND EXISTS ("
              "SELECT stream, seq, id FROM ("
              "SELECT stream, seq, id, 1 AS side FROM threadkeep_messages WHERE thread_id = ?1 "
              "UNION ALL "
              "SELECT stream, seq, id, 2 FROM threadkeep_messages WHERE thread_id = ?2) "
              "GROUP BY stream, seq, id HAVING min(side) = max(side))",
              copy.source_thread_id, copy.target_thread_id)
          .next();
  if (!differs) return;
  throw Error(Code::conflict, "target_thread_id '" + copy.target_thread_id +
                                  "' had messages of its own; choose another target or delete it "
                                  "first");
}

std::uint64_t count_session_rows(Connection& connection, const std::string& thread_id) {
  Rows rows = connection.query(
      "SELECT (SELECT count(*) FROM threadkeep_messages WHERE thread_id = ?1) + "
      "(SELECT count(*) FROM threadkeep_state WHERE thread_id = ?1)",
      thread_id);
  rows.next();
  return static_cast<std::uint64_t>(rows.integer(0));
}

std::uint64_t copy_session_rows(Connection& connection, const CopyThread& copy) {
  const auto& source = copy.source_thread_id;
  const auto& target = copy.target_thread_id;
  connection.execute(
      "INSERT INTO threadkeep_streams (thread_id, stream, last_seq) "
      "SELECT ?2, stream, last_seq FROM threadkeep_streams WHERE thread_id = ?1 "
      "ON CONFLICT DO UPDATE SET last_seq = max(last_seq, excluded.last_seq)",
      source, target);
  auto copied = connection.execute(
      "INSERT INTO threadkeep_messages (thread_id, stream, seq, id, role, created_at, version, "
      "metadata, content) "
      "SELECT ?2, stream, seq, id, role, created_at, version, metadata, content "
      "FROM threadkeep_messages WHERE thread_id = ?1 ON CONFLICT DO NOTHING",
      source, target);
  copied += connection.execute(
      "INSERT INTO threadkeep_state (thread_id, scope, key, version, value) "
      "SELECT ?2, scope, key, version, value FROM threadkeep_state WHERE thread_id = ?1 "
      "ON CONFLICT DO NOTHING",
      source, target);
  return static_cast<std::uint64_t>(copied);
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
  check_messages(connection, copy);
  const std::uint64_t in_source = count_checkpoints(connection, copy.source_thread_id) +
                                  count_session_rows(connection, copy.source_thread_id);
  const std::uint64_t counted = copy_session_rows(connection, copy);
  const std::uint64_t copied = copy_rows(connection, copy) + counted;
  copy_thread_row(connection, copy, copied > 0, now);
  if (counted > 0) raise_revision(connection, copy.target_thread_id, now);
  return {.changed = copied, .kept = in_source - copied};
}

}  // namespace threadkeep::sqlite
