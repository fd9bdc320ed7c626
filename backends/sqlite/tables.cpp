// SPDX-License-Identifier: Apache-2.0
#include "tables.hpp"

#include "threadkeep/backend_support.hpp"

namespace threadkeep::sqlite {

void touch_thread(Connection& connection, const std::string& thread_id, std::int64_t now) {
  {
    Rows rows = connection.query("SELECT updated_at FROM threadkeep_threads WHERE thread_id = ?1",
                                 thread_id);
    if (rows.next() && now - rows.integer(0) < touch_granularity) return;
  }
  connection.execute(
      "INSERT INTO threadkeep_threads (thread_id, created_at, updated_at) VALUES (?1, ?2, ?2) "
      "ON CONFLICT (thread_id) DO UPDATE SET updated_at = excluded.updated_at",
      thread_id, now);
}

std::optional<std::string> find_thread_metadata(Connection& connection,
                                                const std::string& thread_id) {
  Rows rows =
      connection.query("SELECT metadata FROM threadkeep_threads WHERE thread_id = ?1", thread_id);
  if (!rows.next()) return {};
  return rows.text(0);
}

std::optional<std::string> find_tombstone(Connection& connection, const std::string& thread_id) {
  Rows rows = connection.query(
      "SELECT checkpoint_id FROM threadkeep_tombstones WHERE thread_id = ?1", thread_id);
  if (!rows.next()) return {};
  return rows.text(0);
}

void raise_tombstone(Connection& connection, const std::string& thread_id,
                     const std::string& checkpoint_id, std::int64_t now) {
  connection.execute(
      "INSERT INTO threadkeep_tombstones AS tombstone (thread_id, checkpoint_id, deleted_at) "
      "VALUES (?1, ?2, ?3) ON CONFLICT (thread_id) DO UPDATE SET "
      "checkpoint_id = max(excluded.checkpoint_id, tombstone.checkpoint_id), "
      "deleted_at = excluded.deleted_at",
      thread_id, checkpoint_id, now);
}

}  // namespace threadkeep::sqlite
