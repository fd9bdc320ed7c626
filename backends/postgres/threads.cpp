// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "page.hpp"
#include "reads.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/ids.hpp"

namespace threadkeep::postgres {

namespace {

// The columns of threads.sql. Of a thread without a row, all but the ids are null.
namespace column {
enum Column { thread_id, created_at, updated_at, revision, metadata, checkpoint_id };
}

std::int64_t time_or_zero(const Result& rows, std::size_t row, int column) {
  return rows.is_null(row, column) ? 0 : rows.timestamp(row, column);
}

ThreadInfo read_thread(const Result& rows, std::size_t row) {
  ThreadInfo thread{.thread_id = rows.text(row, column::thread_id)};
  thread.created_at = time_or_zero(rows, row, column::created_at);
  thread.updated_at = time_or_zero(rows, row, column::updated_at);
  if (!rows.is_null(row, column::revision)) {
    thread.revision = rows.integer(row, column::revision);
    thread.metadata = rows.json(row, column::metadata);
  }
  // A saver that keeps no rows of threads may have gone on since.
  const auto newest = time_of_id(rows.view(row, column::checkpoint_id));
  thread.updated_at = std::max(thread.updated_at, newest.value_or(0));
  return thread;
}

Result fetch(Connection& connection, const ReadStatements& statements, const ThreadList& query,
             const std::string& after, const Call& call) {
  Parameters parameters;
  parameters.text(after).bigint(rows_for(query.limit));
  add_filter(parameters, query.filter);
  if (query.filter.size() > ReadStatements::most_conditions) {
    return run_once(connection, statements.make_threads(query.filter.size()), std::move(parameters),
                    call);
  }
  return connection.run(statements.threads(query.filter.size()), std::move(parameters),
                        Effect::none, call);
}

}  // namespace

Page<ThreadInfo> threads(Connection& connection, const ReadStatements& statements,
                         const ThreadList& query, const Call& call) {
  const MetadataFilter filter(query.filter);  // refuses what is not JSON
  const CursorCodec codec(query);
  // Ids are not empty, so every one is greater than the empty string.
  const std::string after = query.cursor.empty() ? "" : codec.decode(query.cursor, 1).front();
  Page<ThreadInfo> page;
  if (query.limit == 0) return page;
  const Result rows = fetch(connection, statements, query, after, call);
  const std::size_t size = std::min({rows.size(), query.limit, most_items});
  for (std::size_t row = 0; row < size; ++row) page.items.push_back(read_thread(rows, row));
  if (size < rows.size()) page.next = codec.encode({page.items.back().thread_id});
  return page;
}

std::optional<ThreadInfo> thread(Connection& connection, const ReadStatements& statements,
                                 const ThreadQuery& query, const Call& call) {
  Parameters parameters;
  parameters.text(query.thread_id);
  const Result rows =
      connection.run(statements.thread(), std::move(parameters), Effect::none, call);
  if (rows.empty()) return {};
  return read_thread(rows, 0);
}

}  // namespace threadkeep::postgres
