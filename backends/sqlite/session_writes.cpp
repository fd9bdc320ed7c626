// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "mutations.hpp"
#include "session_rows.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep::sqlite {

namespace {

void count(Written& written, bool changed) {
  ++(changed ? written.changed : written.kept);
}

// Ends a mutation of messages or state: counts it if it changed something.
void finish(Connection& connection, const std::string& thread_id, std::int64_t now,
            Written& written) {
  written.revision = written.changed > 0 ? raise_revision(connection, thread_id, now)
                                         : find_revision(connection, thread_id);
}

std::int64_t find_last_seq(Connection& connection, const AppendMessages& append) {
  Rows rows = connection.query(
      "SELECT last_seq FROM threadkeep_streams WHERE thread_id = ?1 AND stream = ?2",
      append.thread_id, append.stream);
  return rows.next() ? rows.integer(0) : 0;
}

void store_last_seq(Connection& connection, const AppendMessages& append, std::int64_t last_seq) {
  connection.execute(
      "INSERT INTO threadkeep_streams (thread_id, stream, last_seq) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (thread_id, stream) DO UPDATE SET last_seq = excluded.last_seq",
      append.thread_id, append.stream, last_seq);
}

void store_message(Connection& connection, const AppendMessages& append, const NewMessage& message,
                   const Message& key) {
  connection.execute("INSERT INTO threadkeep_messages (thread_id, " THREADKEEP_MESSAGE_COLUMNS
                     ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                     append.thread_id, append.stream, key.seq, message.id, message.role,
                     key.created_at, key.version, message.metadata, message.content);
}

// One that comes twice in an append finds itself the second time.
bool is_stored(Connection& connection, const AppendMessages& append, const NewMessage& message,
               Written& written) {
  const auto stored = find_message(connection, append.thread_id, message.id);
  if (!stored) return false;
  if (!is_same(*stored, append.stream, message)) throw reused_message(message.id);
  written.messages.push_back(key_of(*stored));
  ++written.kept;
  return true;
}

void store_messages(Connection& connection, const AppendMessages& append, std::int64_t now,
                    Written& written) {
  std::int64_t seq = find_last_seq(connection, append);
  for (const NewMessage& message : append.messages) {
    if (is_stored(connection, append, message, written)) continue;
    if (written.changed == 0) {
      check_revision(append, find_revision(connection, append.thread_id));
    }
    const Message key{.stream = append.stream,
                      .seq = ++seq,
                      .id = message.id,
                      .role = {},
                      .content = {},
                      .metadata = {},
                      .created_at = now,
                      .version = 1};
    store_message(connection, append, message, key);
    written.messages.push_back(key);
    ++written.changed;
  }
  if (written.changed > 0) store_last_seq(connection, append, seq);
}

void change_documents(Connection& connection, const StateScope& scope,
                      const std::vector<StateChange>& changes, Written& written) {
  for (const StateChange& change : changes) {
    const auto outcome = change_document(find_document(connection, scope, change.key), change);
    if (outcome.changed && outcome.document) store_document(connection, scope, *outcome.document);
    if (outcome.changed && !outcome.document) delete_document(connection, scope, change.key);
    count(written, outcome.changed);
    written.versions.push_back(outcome.document ? outcome.document->version : 0);
  }
}

// Of an append that was carried out before.
void keep_documents(Connection& connection, const AppendMessages& append, Written& written) {
  for (const StateChange& change : append.state) {
    const auto stored =
        find_document(connection, StateScope::of_thread(append.thread_id), change.key);
    written.versions.push_back(stored ? stored->version : 0);
    ++written.kept;
  }
}

std::vector<Message> read_newest(Connection& connection, const PopMessages& pop) {
  std::vector<Message> newest;
  std::size_t bytes = 0;
  Rows rows = connection.query("SELECT " THREADKEEP_MESSAGE_COLUMNS
                               " FROM threadkeep_messages WHERE thread_id = ?1 AND stream = ?2 "
                               "ORDER BY seq DESC",
                               pop.thread_id, pop.stream);
  while (newest.size() < pop.count && rows.next()) {
    Message message = read_message(rows);
    bytes += weight(message);
    if (!newest.empty() && bytes > max_pop_bytes) break;
    newest.push_back(std::move(message));
  }
  std::reverse(newest.begin(), newest.end());
  return newest;
}

std::int64_t delete_messages(Connection& connection, const ClearMessages& clear) {
  if (!clear.stream) {
    return connection.execute("DELETE FROM threadkeep_messages WHERE thread_id = ?1",
                              clear.thread_id);
  }
  return connection.execute("DELETE FROM threadkeep_messages WHERE thread_id = ?1 AND stream = ?2",
                            clear.thread_id, *clear.stream);
}

}  // namespace

Written append(Connection& connection, const AppendMessages& append, std::int64_t now) {
  const std::string& operation = append.operation_id;
  const std::uint64_t print = operation.empty() ? 0 : fingerprint(append);
  if (!operation.empty()) {
    if (auto done = find_done(connection, append.thread_id, operation, print)) return *done;
  }
  Written written;
  store_messages(connection, append, now, written);
  if (written.changed > 0) {
    change_documents(connection, StateScope::of_thread(append.thread_id), append.state, written);
  } else {
    keep_documents(connection, append, written);
  }
  finish(connection, append.thread_id, now, written);
  if (!operation.empty() && written.changed > 0) {
    remember(connection, append.thread_id, operation, print, written);
  }
  return written;
}

Written update_message(Connection& connection, const UpdateMessage& update, std::int64_t now) {
  Written written;
  if (const auto stored = find_message(connection, update.thread_id, update.id)) {
    const auto changed = updated(*stored, update);
    if (changed) {
      connection.execute(
          "UPDATE threadkeep_messages SET metadata = ?3, content = ?4, version = ?5 "
          "WHERE thread_id = ?1 AND id = ?2",
          update.thread_id, update.id, changed->metadata, changed->content, changed->version);
    }
    count(written, changed.has_value());
    written.messages.push_back(key_of(changed ? *changed : *stored));
  } else {
    check_update_of_absent(update);
    written.dropped = 1;
  }
  finish(connection, update.thread_id, now, written);
  return written;
}

Written remove_messages(Connection& connection, const RemoveMessages& removal, std::int64_t now) {
  Written written;
  for (const std::string& id : removal.ids) {
    written.changed += static_cast<std::uint64_t>(connection.execute(
        "DELETE FROM threadkeep_messages WHERE thread_id = ?1 AND id = ?2", removal.thread_id, id));
  }
  finish(connection, removal.thread_id, now, written);
  return written;
}

Written pop_messages(Connection& connection, const PopMessages& pop, std::int64_t now) {
  const std::uint64_t print = fingerprint(pop);
  if (auto done = find_done(connection, pop.thread_id, pop.operation_id, print)) return *done;
  Written written;
  written.messages = read_newest(connection, pop);
  written.changed = written.messages.size();
  if (written.changed > 0) {
    connection.execute(
        "DELETE FROM threadkeep_messages WHERE thread_id = ?1 AND stream = ?2 AND seq >= ?3",
        pop.thread_id, pop.stream, written.messages.front().seq);
  }
  finish(connection, pop.thread_id, now, written);
  if (written.changed > 0) {
    remember(connection, pop.thread_id, pop.operation_id, print, written);
  }
  return written;
}

Written clear_messages(Connection& connection, const ClearMessages& clear, std::int64_t now) {
  Written written;
  written.changed = static_cast<std::uint64_t>(delete_messages(connection, clear));
  finish(connection, clear.thread_id, now, written);
  return written;
}

Written change_state(Connection& connection, const ChangeState& change, std::int64_t now) {
  Written written;
  change_documents(connection, change.scope, change.changes, written);
  if (!change.scope.thread_id.empty()) finish(connection, change.scope.thread_id, now, written);
  return written;
}

}  // namespace threadkeep::sqlite
