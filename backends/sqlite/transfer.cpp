// SPDX-License-Identifier: Apache-2.0
#include "sqlite/transfer.hpp"

#include "tables.hpp"

namespace threadkeep::sqlite {

namespace {

bool has_table(Connection& connection, std::string_view name) {
  return connection.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", name)
      .next();
}

void read_orders(Connection& connection, ThreadNotes& notes) {
  Rows marks = connection.query(
      "SELECT kind, name FROM threadkeep_retention_marks WHERE thread_id = ?1 "
      "ORDER BY kind, name",
      notes.thread_id);
  while (marks.next()) {
    if (marks.view(0) == "pin") notes.pinned = true;
    if (marks.view(0) == "hold") notes.holds.push_back(marks.text(1));
  }
  Rows expiry = connection.query(
      "SELECT expires_at FROM threadkeep_retention_expiry WHERE thread_id = ?1", notes.thread_id);
  if (expiry.next()) notes.expires_at = expiry.integer(0);
}

void apply(Connection& connection, const ThreadNotesChange& change, std::int64_t now) {
  if (change.tombstone) raise_tombstone(connection, change.thread_id, *change.tombstone, now);
  if (change.created_at) {
    connection.execute("UPDATE threadkeep_threads SET created_at = ?2 WHERE thread_id = ?1",
                       change.thread_id, *change.created_at);
  }
  if (change.updated_at) {
    connection.execute("UPDATE threadkeep_threads SET updated_at = ?2 WHERE thread_id = ?1",
                       change.thread_id, *change.updated_at);
  }
}

// A full page has a next one.
Page<std::string> page_of(Rows rows, std::size_t limit) {
  Page<std::string> page;
  while (rows.next()) page.items.push_back(rows.text(0));
  if (!page.items.empty() && page.items.size() == limit) page.next = page.items.back();
  return page;
}

constexpr const char* unlisted_plain =
    "SELECT kept.thread_id FROM (SELECT thread_id FROM checkpoint_writes WHERE thread_id > ?1 "
    "UNION SELECT thread_id FROM threadkeep_tombstones WHERE thread_id > ?1) AS kept "
    "WHERE NOT EXISTS (SELECT 1 FROM threadkeep_threads AS t "
    "WHERE t.thread_id = kept.thread_id) ORDER BY kept.thread_id LIMIT ?2";

constexpr const char* unlisted_with_orders =
    "SELECT kept.thread_id FROM (SELECT thread_id FROM checkpoint_writes WHERE thread_id > ?1 "
    "UNION SELECT thread_id FROM threadkeep_tombstones WHERE thread_id > ?1 "
    "UNION SELECT thread_id FROM threadkeep_retention_marks WHERE thread_id > ?1 "
    "UNION SELECT thread_id FROM threadkeep_retention_expiry WHERE thread_id > ?1) AS kept "
    "WHERE NOT EXISTS (SELECT 1 FROM threadkeep_threads AS t "
    "WHERE t.thread_id = kept.thread_id) ORDER BY kept.thread_id LIMIT ?2";

}  // namespace

std::vector<ThreadNotes> StoreTransfer::notes(const std::vector<std::string>& thread_ids,
                                              const Call& call) {
  const Lease connection = database_.read(call);
  const Snapshot snapshot(*connection);
  const bool has_orders = has_table(*connection, "threadkeep_retention_marks");
  std::vector<ThreadNotes> all;
  all.reserve(thread_ids.size());
  for (const std::string& id : thread_ids) {
    ThreadNotes& notes = all.emplace_back();
    notes.thread_id = id;
    notes.tombstone = find_tombstone(*connection, id);
    if (has_orders) read_orders(*connection, notes);
  }
  return all;
}

void StoreTransfer::change(const std::vector<ThreadNotesChange>& changes, const Call& call) {
  const Lease connection = database_.write(call);
  connection->begin_write();
  for (const ThreadNotesChange& change : changes) apply(*connection, change, environment_.now());
  connection->commit();
}

Page<std::string> StoreTransfer::unlisted(const std::string& cursor, std::size_t limit,
                                          const Call& call) {
  const Lease connection = database_.read(call);
  const Snapshot snapshot(*connection);
  const bool has_orders = has_table(*connection, "threadkeep_retention_marks");
  return page_of(connection->query(has_orders ? unlisted_with_orders : unlisted_plain, cursor,
                                   static_cast<std::int64_t>(limit)),
                 limit);
}

Page<std::string> StoreTransfer::scopes(const std::string& cursor, std::size_t limit,
                                        const Call& call) {
  const Lease connection = database_.read(call);
  const Snapshot snapshot(*connection);
  return page_of(connection->query("SELECT DISTINCT scope FROM threadkeep_state "
                                   "WHERE thread_id = '' AND scope > ?1 ORDER BY scope LIMIT ?2",
                                   cursor, static_cast<std::int64_t>(limit)),
                 limit);
}

}  // namespace threadkeep::sqlite
