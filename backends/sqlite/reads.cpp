// SPDX-License-Identifier: Apache-2.0
#include "reads.hpp"

#include <initializer_list>
#include <utility>

#include "checkpoint_reader.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::sqlite {

namespace {

std::optional<std::int64_t> find_row(Rows rows) {
  if (!rows.next()) return {};
  return rows.integer(0);
}

std::optional<std::int64_t> find_checkpoint(Connection& connection, const CheckpointQuery& query) {
  if (query.checkpoint_id) {
    return find_row(
        connection.query("SELECT rowid FROM checkpoints "
                         "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id = ?3",
                         query.thread_id, query.checkpoint_ns, *query.checkpoint_id));
  }
  return find_row(
      connection.query("SELECT rowid FROM checkpoints WHERE thread_id = ?1 AND checkpoint_ns = ?2 "
                       "ORDER BY checkpoint_id DESC LIMIT 1",
                       query.thread_id, query.checkpoint_ns));
}

// The position of a cursor, in the order of the listing.
struct Position {
  std::string checkpoint_id;
  std::string thread_id;
  std::string checkpoint_ns;
};

// A statement and its parameters, put together condition by condition.
struct Selection {
  std::string sql;
  std::vector<std::string_view> parameters;

  void add(std::string_view condition, std::initializer_list<std::string_view> values) {
    sql += condition;
    parameters.insert(parameters.end(), values.begin(), values.end());
  }
  void add(std::string_view condition, const std::optional<std::string>& value) {
    if (value) add(condition, {std::string_view(*value)});
  }
};

// Only keys are read and sorted, out of the index of the primary key. The parts that a query can
// have make 32 texts, so each is prepared once.
Selection select_keys(const CheckpointList& query, const std::optional<Position>& after) {
  Selection selection{"SELECT rowid FROM checkpoints WHERE true", {}};
  selection.add(" AND thread_id = ?", query.thread_id);
  selection.add(" AND checkpoint_ns = ?", query.checkpoint_ns);
  selection.add(" AND checkpoint_id = ?", query.checkpoint_id);
  selection.add(" AND checkpoint_id < ?", query.before);
  if (after) {
    selection.add(
        " AND checkpoint_id <= ?"
        " AND (checkpoint_id < ? OR (thread_id, checkpoint_ns) > (?, ?))",
        {after->checkpoint_id, after->checkpoint_id, after->thread_id, after->checkpoint_ns});
  }
  selection.sql += " ORDER BY checkpoint_id DESC, thread_id, checkpoint_ns";
  return selection;
}

// Goes through the keys of a listing in order and stops at those that match the filter.
class Scan {
 public:
  Scan(Connection& connection, const MetadataFilter& filter, const Selection& selection)
      : connection_(connection),
        filter_(filter),
        rows_(connection.query_with(selection.sql, selection.parameters)) {}

  std::optional<std::int64_t> next() {
    while (rows_.next()) {
      const std::int64_t rowid = rows_.integer(0);
      if (matches(rowid)) return rowid;
    }
    return {};
  }

 private:
  bool matches(std::int64_t rowid) {
    if (filter_.empty()) return true;
    Rows rows = connection_.query("SELECT metadata FROM checkpoints WHERE rowid = ?1", rowid);
    return rows.next() && filter_.matches(rows.view(0));
  }

  Connection& connection_;
  const MetadataFilter& filter_;
  Rows rows_;
};

std::optional<Position> read_cursor(const CursorCodec& codec, const std::string& cursor) {
  if (cursor.empty()) return {};
  auto parts = codec.decode(cursor, 3);
  return Position{std::move(parts[0]), std::move(parts[1]), std::move(parts[2])};
}

constexpr std::string_view select_threads =
    "SELECT thread_id, created_at, updated_at, revision, metadata FROM threadkeep_threads "
    "WHERE thread_id > ?1 ORDER BY thread_id";
ThreadInfo read_thread(const Rows& rows) {
  return {.thread_id = rows.text(0),
          .created_at = rows.integer(1),
          .updated_at = rows.integer(2),
          .revision = rows.integer(3),
          .metadata = rows.text(4)};
}

}  // namespace

std::optional<CheckpointTuple> get(Connection& connection, const CheckpointQuery& query) {
  const auto rowid = find_checkpoint(connection, query);
  if (!rowid) return {};
  return CheckpointReader(connection, query.include).read(*rowid);
}

Page<CheckpointTuple> list(Connection& connection, const CheckpointList& query) {
  const MetadataFilter filter(query.filter);
  const CursorCodec codec(query);
  const auto after = read_cursor(codec, query.cursor);
  Page<CheckpointTuple> page;
  if (query.limit == 0) return page;
  const Selection selection = select_keys(query, after);
  Scan scan(connection, filter, selection);
  CheckpointReader reader(connection, query.include);
  std::size_t bytes = 0;
  while (const auto rowid = scan.next()) {
    if (page.items.size() >= query.limit || (!page.items.empty() && bytes >= query.max_bytes)) {
      const CheckpointTuple& last = page.items.back();
      page.next = codec.encode({last.checkpoint_id, last.thread_id, last.checkpoint_ns});
      break;
    }
    page.items.push_back(reader.read(*rowid));
    bytes += weight(page.items.back());
  }
  return page;
}

Page<ThreadInfo> threads(Connection& connection, const ThreadList& query) {
  const MetadataFilter filter(query.filter);
  const CursorCodec codec(query);
  // Ids are not empty, so every one is greater than the empty string.
  const std::string after = query.cursor.empty() ? "" : codec.decode(query.cursor, 1).front();
  Page<ThreadInfo> page;
  if (query.limit == 0) return page;
  Rows rows = connection.query(select_threads, after);
  while (rows.next()) {
    if (!filter.matches(rows.view(4))) continue;
    if (page.items.size() >= query.limit) {
      page.next = codec.encode({page.items.back().thread_id});
      break;
    }
    page.items.push_back(read_thread(rows));
  }
  return page;
}

std::vector<PutWrites> loose_writes(Connection& connection, const LooseWritesQuery& query) {
  const auto& [ns, id] = query.after.value_or(std::pair<std::string, std::string>());
  std::vector<PutWrites> found;
  if (query.limit == 0) return found;
  Rows rows = connection.query(
      "SELECT DISTINCT checkpoint_ns, checkpoint_id FROM checkpoint_writes AS write "
      "WHERE thread_id = ?1 AND (checkpoint_ns, checkpoint_id) > (?2, ?3) "
      "AND NOT EXISTS (SELECT 1 FROM checkpoints WHERE thread_id = ?1 "
      "AND checkpoint_ns = write.checkpoint_ns AND checkpoint_id = write.checkpoint_id) "
      "ORDER BY checkpoint_ns, checkpoint_id",
      query.thread_id, ns, id);
  while (found.size() < query.limit && rows.next()) {
    PutWrites put{query.thread_id, rows.text(0), rows.text(1), {}};
    put.writes = read_writes(connection, put.thread_id, put.checkpoint_ns, put.checkpoint_id);
    found.push_back(std::move(put));
  }
  return found;
}

std::optional<ThreadInfo> thread(Connection& connection, const ThreadQuery& query) {
  Rows rows = connection.query(
      "SELECT thread_id, created_at, updated_at, revision, metadata FROM threadkeep_threads "
      "WHERE thread_id = ?1",
      query.thread_id);
  if (!rows.next()) return {};
  return read_thread(rows);
}

}  // namespace threadkeep::sqlite
