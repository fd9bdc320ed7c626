// SPDX-License-Identifier: Apache-2.0
#include "session_rows.hpp"

#include "threadkeep/session_support.hpp"

namespace threadkeep::sqlite {

Message read_message(const Rows& rows) {
  return {.stream = rows.text(0),
          .seq = rows.integer(1),
          .id = rows.text(2),
          .role = rows.text(3),
          .content = rows.text(7),
          .metadata = rows.text(6),
          .created_at = rows.integer(4),
          .version = rows.integer(5)};
}

std::optional<Message> find_message(Connection& connection, const std::string& thread_id,
                                    const std::string& id) {
  Rows rows = connection.query("SELECT " THREADKEEP_MESSAGE_COLUMNS
                               " FROM threadkeep_messages WHERE thread_id = ?1 AND id = ?2",
                               thread_id, id);
  if (!rows.next()) return {};
  return read_message(rows);
}

std::int64_t find_revision(Connection& connection, const std::string& thread_id) {
  Rows rows =
      connection.query("SELECT revision FROM threadkeep_threads WHERE thread_id = ?1", thread_id);
  return rows.next() ? rows.integer(0) : 0;
}

std::int64_t raise_revision(Connection& connection, const std::string& thread_id,
                            std::int64_t now) {
  Rows rows = connection.query(
      "INSERT INTO threadkeep_threads (thread_id, created_at, updated_at, revision) "
      "VALUES (?1, ?2, ?2, 1) ON CONFLICT (thread_id) DO UPDATE SET revision = revision + 1, "
      "updated_at = CASE WHEN ?2 - updated_at >= ?3 THEN ?2 ELSE updated_at END "
      "RETURNING revision",
      thread_id, now, touch_granularity);
  rows.next();
  const std::int64_t revision = rows.integer(0);
  rows.next();
  return revision;
}

std::optional<StateDocument> find_document(Connection& connection, const StateScope& scope,
                                           const std::string& key) {
  Rows rows = connection.query(
      "SELECT key, value, version FROM threadkeep_state "
      "WHERE thread_id = ?1 AND scope = ?2 AND key = ?3",
      scope.thread_id, scope.name, key);
  if (!rows.next()) return {};
  return StateDocument{rows.text(0), rows.text(1), rows.integer(2)};
}

void store_document(Connection& connection, const StateScope& scope,
                    const StateDocument& document) {
  connection.execute(
      "INSERT INTO threadkeep_state (thread_id, scope, key, version, value) "
      "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (thread_id, scope, key) DO UPDATE SET "
      "version = excluded.version, value = excluded.value",
      scope.thread_id, scope.name, document.key, document.version, document.value);
}

void delete_document(Connection& connection, const StateScope& scope, const std::string& key) {
  connection.execute(
      "DELETE FROM threadkeep_state WHERE thread_id = ?1 AND scope = ?2 AND key = ?3",
      scope.thread_id, scope.name, key);
}

std::optional<Written> find_done(Connection& connection, const std::string& thread_id,
                                 const std::string& operation_id, std::uint64_t fingerprint) {
  Rows rows = connection.query(
      "SELECT fingerprint, result FROM threadkeep_operations "
      "WHERE thread_id = ?1 AND operation_id = ?2",
      thread_id, operation_id);
  if (!rows.next()) return {};
  if (static_cast<std::uint64_t>(rows.integer(0)) != fingerprint) {
    throw reused_operation(operation_id);
  }
  return decode_written(rows.view(1));
}

void remember(Connection& connection, const std::string& thread_id, const std::string& operation_id,
              std::uint64_t fingerprint, const Written& written) {
  connection.execute("DELETE FROM threadkeep_operations WHERE thread_id = ?1 AND revision <= ?2",
                     thread_id, written.revision - operation_memory);
  connection.execute(
      "INSERT INTO threadkeep_operations (thread_id, operation_id, fingerprint, revision, result) "
      "VALUES (?1, ?2, ?3, ?4, ?5)",
      thread_id, operation_id, static_cast<std::int64_t>(fingerprint), written.revision,
      encode_written(written));
}

}  // namespace threadkeep::sqlite
