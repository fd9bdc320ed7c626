// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "reads.hpp"
#include "session_rows.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep::sqlite {

namespace {

constexpr char forward_sql[] = "SELECT " THREADKEEP_MESSAGE_COLUMNS
                               " FROM threadkeep_messages WHERE thread_id = ?1 AND stream = ?2 "
                               "AND seq > ?3 AND seq < ?4 ORDER BY seq";
constexpr char backward_sql[] = "SELECT " THREADKEEP_MESSAGE_COLUMNS
                                " FROM threadkeep_messages WHERE thread_id = ?1 AND stream = ?2 "
                                "AND seq > ?3 AND seq < ?4 ORDER BY seq DESC";

// The seqs of a listing that are still to come, both ends excluded.
struct Range {
  std::int64_t after;
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
};

Range range_of(const MessageList& query, const CursorCodec& codec) {
  Range range{query.after};
  if (query.cursor.empty()) return range;
  const std::int64_t at = read_seq_cursor(codec, query.cursor);
  if (query.direction == Direction::backward) {
    range.before = at;
  } else {
    range.after = std::max(range.after, at);
  }
  return range;
}

Rows select(Connection& connection, const MessageList& query, const Range& range) {
  const auto sql = query.direction == Direction::forward ? forward_sql : backward_sql;
  return connection.query(sql, query.thread_id, query.stream, range.after, range.before);
}

// Decided here and not by SQL: of duplicate members SQLite's JSON functions take the first, and the
// last one counts. The content of a row is not read for it.
bool matches(const MessageFilter& filter, const Rows& rows) {
  return filter.empty() || filter.matches(rows.view(3), rows.view(6));
}

template <class Item, class Query>
bool is_full(const Page<Item>& page, const Query& query, std::size_t bytes) {
  return page.items.size() >= query.limit || (!page.items.empty() && bytes >= query.max_bytes);
}

std::uint64_t count_all(Connection& connection, const MessageList& query) {
  Rows rows = connection.query(
      "SELECT count(*) FROM threadkeep_messages "
      "WHERE thread_id = ?1 AND stream = ?2 AND seq > ?3",
      query.thread_id, query.stream, query.after);
  rows.next();
  return static_cast<std::uint64_t>(rows.integer(0));
}

}  // namespace

Page<Message> messages(Connection& connection, const MessageList& query) {
  const MessageFilter filter(query.filter);
  const CursorCodec codec(query);
  const Range range = range_of(query, codec);
  Page<Message> page;
  if (query.limit == 0) return page;
  std::size_t bytes = 0;
  Rows rows = select(connection, query, range);
  while (rows.next()) {
    if (!matches(filter, rows)) continue;
    if (is_full(page, query, bytes)) {
      page.next = codec.encode({std::to_string(page.items.back().seq)});
      break;
    }
    page.items.push_back(read_message(rows));
    bytes += weight(page.items.back());
  }
  return page;
}

std::optional<Message> message(Connection& connection, const MessageQuery& query) {
  return find_message(connection, query.thread_id, query.id);
}

std::vector<std::string> streams(Connection& connection, const ThreadQuery& query) {
  std::vector<std::string> names;
  Rows rows = connection.query(
      "SELECT stream FROM threadkeep_streams AS known WHERE thread_id = ?1 AND EXISTS "
      "(SELECT 1 FROM threadkeep_messages WHERE thread_id = ?1 AND stream = known.stream) "
      "ORDER BY stream",
      query.thread_id);
  while (rows.next()) names.push_back(rows.text(0));
  return names;
}

std::uint64_t count_messages(Connection& connection, const MessageList& query) {
  const MessageFilter filter(query.filter);
  if (filter.empty()) return count_all(connection, query);
  std::uint64_t count = 0;
  Rows rows = select(connection, query, {query.after});
  while (rows.next()) count += matches(filter, rows) ? 1 : 0;
  return count;
}

std::optional<StateDocument> state(Connection& connection, const StateQuery& query) {
  return find_document(connection, query.scope, query.key);
}

Page<StateDocument> states(Connection& connection, const StateList& query) {
  const CursorCodec codec(query);
  // Keys are not empty, so every one is greater than the empty string.
  const std::string after = query.cursor.empty() ? "" : codec.decode(query.cursor, 1).front();
  Page<StateDocument> page;
  if (query.limit == 0) return page;
  std::size_t bytes = 0;
  Rows rows = connection.query(
      "SELECT key, value, version FROM threadkeep_state "
      "WHERE thread_id = ?1 AND scope = ?2 AND key > ?3 ORDER BY key",
      query.scope.thread_id, query.scope.name, after);
  while (rows.next()) {
    if (is_full(page, query, bytes)) {
      page.next = codec.encode({page.items.back().key});
      break;
    }
    page.items.push_back({rows.text(0), rows.text(1), rows.integer(2)});
    bytes += weight(page.items.back());
  }
  return page;
}

}  // namespace threadkeep::sqlite
