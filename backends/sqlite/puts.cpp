// SPDX-License-Identifier: Apache-2.0
#include "mutations.hpp"
#include "tables.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::sqlite {

namespace {

bool is_stored(Connection& connection, const std::string& thread_id,
               const std::string& checkpoint_ns, const std::string& checkpoint_id) {
  return connection
      .query(
          "SELECT 1 FROM checkpoints "
          "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id = ?3",
          thread_id, checkpoint_ns, checkpoint_id)
      .next();
}

bool is_stored_equal(Connection& connection, const PutCheckpoint& put) {
  Rows rows = connection.query(
      "SELECT parent_checkpoint_id, checkpoint, metadata FROM checkpoints "
      "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id = ?3",
      put.thread_id, put.checkpoint_ns, put.checkpoint_id);
  return rows.next() && rows.optional_text(0) == put.parent_checkpoint_id &&
         json_equal(rows.view(1), put.document) && json_equal(rows.view(2), put.metadata);
}

std::optional<std::string> latest_checkpoint(Connection& connection, const PutCheckpoint& put) {
  Rows rows = connection.query(
      "SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?1 AND checkpoint_ns = ?2",
      put.thread_id, put.checkpoint_ns);
  rows.next();
  return rows.optional_text(0);
}

// A run that was under way when its thread was deleted must not bring a part of it back.
void check_parent_not_deleted(Connection& connection, const PutCheckpoint& put) {
  const auto& parent = put.parent_checkpoint_id;
  if (!parent || !find_tombstone(connection, put.thread_id)) return;
  if (is_stored(connection, put.thread_id, put.checkpoint_ns, *parent)) return;
  if (is_stored(connection, put.thread_id, put.checkpoint_ns, put.checkpoint_id)) return;
  throw Error(Code::conflict, "parent_checkpoint_id '" + *parent +
                                  "' was deleted; load the thread again and go on from there");
}

void check_parent_is_latest(Connection& connection, const PutCheckpoint& put) {
  if (!put.require_latest_parent) return;
  if (latest_checkpoint(connection, put) == put.parent_checkpoint_id) return;
  throw Error(Code::conflict,
              "parent_checkpoint_id is not the latest checkpoint any more; load the thread again "
              "and go on from there");
}

void store_checkpoint(Connection& connection, const PutCheckpoint& put) {
  connection.execute(
      "INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, "
      "run_id, metadata, checkpoint) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
      "ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id) DO UPDATE SET "
      "parent_checkpoint_id = excluded.parent_checkpoint_id, run_id = excluded.run_id, "
      "metadata = excluded.metadata, checkpoint = excluded.checkpoint",
      put.thread_id, put.checkpoint_ns, put.checkpoint_id, put.parent_checkpoint_id,
      run_id(put.metadata), put.metadata, put.document);
}

bool store_blob(Connection& connection, const PutCheckpoint& put, const Blob& blob) {
  return connection.execute(
             "INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, "
             "blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
             "ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING",
             put.thread_id, put.checkpoint_ns, blob.channel, blob.version, blob.type,
             blob.data) == 1;
}

// The first regular write of a key stays, the last special one does.
bool store_write(Connection& connection, const PutWrites& put, const PendingWrite& write) {
  return connection.execute(
             "INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, "
             "idx, channel, type, task_path, blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
             "ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) DO UPDATE SET "
             "channel = excluded.channel, type = excluded.type, task_path = excluded.task_path, "
             "blob = excluded.blob WHERE excluded.idx < 0",
             put.thread_id, put.checkpoint_ns, put.checkpoint_id, write.task_id,
             std::int64_t{write.idx}, write.channel, write.type, write.task_path, write.data) == 1;
}

bool is_for_deleted(Connection& connection, const PutWrites& put) {
  const auto tombstone = find_tombstone(connection, put.thread_id);
  return tombstone && put.checkpoint_id <= *tombstone &&
         !is_stored(connection, put.thread_id, put.checkpoint_ns, put.checkpoint_id);
}

void count(Written& written, bool changed) {
  ++(changed ? written.changed : written.kept);
}

}  // namespace

Written put(Connection& connection, const PutCheckpoint& put, std::int64_t now) {
  Written written;
  const bool equal = put.require_latest_parent && is_stored_equal(connection, put);
  if (!equal) {
    check_parent_not_deleted(connection, put);
    check_parent_is_latest(connection, put);
    store_checkpoint(connection, put);
  }
  count(written, !equal);
  for (const Blob& blob : put.blobs) count(written, store_blob(connection, put, blob));
  touch_thread(connection, put.thread_id, now);
  return written;
}

Written put_writes(Connection& connection, const PutWrites& put, std::int64_t now) {
  if (is_for_deleted(connection, put)) return {.dropped = put.writes.size()};
  Written written;
  for (const PendingWrite& write : put.writes) {
    count(written, store_write(connection, put, write));
  }
  connection.execute(
      "UPDATE threadkeep_threads SET updated_at = ?2 WHERE thread_id = ?1 AND updated_at <= ?3",
      put.thread_id, now, now - touch_granularity);
  return written;
}

Written put_thread(Connection& connection, const PutThread& put, std::int64_t now) {
  const auto stored = find_thread_metadata(connection, put.thread_id);
  if (stored && json_equal(*stored, put.metadata)) return {.kept = 1};
  touch_thread(connection, put.thread_id, now);
  if (!json_equal(stored.value_or("{}"), put.metadata)) {
    connection.execute(
        "UPDATE threadkeep_threads SET metadata = ?2, revision = revision + 1 "
        "WHERE thread_id = ?1",
        put.thread_id, put.metadata);
  }
  return {.changed = 1};
}

}  // namespace threadkeep::sqlite
