// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include "reads.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::sqlite {

namespace {

constexpr std::array kinds = {"threads",  "checkpoints", "blobs", "writes",
                              "messages", "streams",     "states"};

// One row for each thread: its id, then rows and bytes of each kind. The length of a blob is known
// without reading it; that of a text is counted in characters unless it is cast.
constexpr std::string_view select_sizes = R"(
SELECT thread_id,
       count(*) FILTER (WHERE kind = 0), total(bytes) FILTER (WHERE kind = 0),
       count(*) FILTER (WHERE kind = 1), total(bytes) FILTER (WHERE kind = 1),
       count(*) FILTER (WHERE kind = 2), total(bytes) FILTER (WHERE kind = 2),
       count(*) FILTER (WHERE kind = 3), total(bytes) FILTER (WHERE kind = 3),
       count(*) FILTER (WHERE kind = 4), total(bytes) FILTER (WHERE kind = 4),
       count(*) FILTER (WHERE kind = 5), total(bytes) FILTER (WHERE kind = 5),
       count(*) FILTER (WHERE kind = 6), total(bytes) FILTER (WHERE kind = 6)
FROM (
  SELECT thread_id, 0 AS kind, length(CAST(metadata AS BLOB)) AS bytes FROM threadkeep_threads
  UNION ALL
  SELECT thread_id, 1, length(CAST(checkpoint AS BLOB)) + length(CAST(metadata AS BLOB))
  FROM checkpoints
  UNION ALL
  SELECT thread_id, 2, length(blob) FROM checkpoint_blobs
  UNION ALL
  SELECT thread_id, 3, length(blob) FROM checkpoint_writes
  UNION ALL
  SELECT thread_id, 4, length(CAST(content AS BLOB)) + length(CAST(metadata AS BLOB))
  FROM threadkeep_messages
  UNION ALL
  SELECT thread_id, 5, 0 FROM threadkeep_streams
  UNION ALL
  SELECT thread_id, 6, length(CAST(value AS BLOB)) FROM threadkeep_state WHERE scope = ''
)
GROUP BY thread_id)";

constexpr std::string_view select_named_states = R"(
SELECT count(*), total(length(CAST(value AS BLOB))) FROM threadkeep_state WHERE scope <> '')";

std::uint64_t number(const Rows& rows, int column) {
  return static_cast<std::uint64_t>(rows.integer(column));
}

void add_sizes(const Rows& rows, StoreStats& stats, StatsCollector& collector) {
  ThreadSize thread{.thread_id = rows.text(0)};
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    const int column = 1 + 2 * static_cast<int>(kind);
    stats.entities[kind].rows += number(rows, column);
    *stats.entities[kind].bytes += number(rows, column + 1);
    thread.bytes += number(rows, column + 1);
  }
  thread.checkpoints = number(rows, 3);
  collector.add_thread(std::move(thread));
}

}  // namespace

StoreStats stats(Connection& connection, const StatsQuery& query) {
  StoreStats stats;
  stats.method = "everything";
  for (const char* kind : kinds) stats.entities.push_back({kind, 0, 0});
  StatsCollector collector(query.largest);
  Rows sizes = connection.query(select_sizes);
  while (sizes.next()) add_sizes(sizes, stats, collector);
  Rows named = connection.query(select_named_states);
  if (named.next()) {
    stats.entities.push_back({"named_states", number(named, 0), number(named, 1)});
  }
  Rows ids = connection.query("SELECT checkpoint_id FROM checkpoints");
  while (ids.next()) collector.add_checkpoint(ids.view(0));
  collector.finish(stats);
  Rows file =
      connection.query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  if (file.next()) stats.stored_bytes = number(file, 0);
  return stats;
}

}  // namespace threadkeep::sqlite
