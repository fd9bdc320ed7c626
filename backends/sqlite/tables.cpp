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
                     const std::string& checkpoint_id) {
  connection.execute(
      "INSERT INTO threadkeep_tombstones (thread_id, checkpoint_id) VALUES (?1, ?2) "
      "ON CONFLICT (thread_id) DO UPDATE SET checkpoint_id = excluded.checkpoint_id "
      "WHERE excluded.checkpoint_id > threadkeep_tombstones.checkpoint_id",
      thread_id, checkpoint_id);
}

}  // namespace threadkeep::sqlite
