// SPDX-License-Identifier: Apache-2.0
#include "reads.hpp"

#include <algorithm>
#include <utility>

#include "checkpoint_rows.hpp"
#include "page.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::postgres {

namespace {

using Position = std::vector<std::string>;  // checkpoint_id, thread_id, checkpoint_ns

ListShape shape_of(const CheckpointList& query, const Position& after) {
  return {.thread_id = query.thread_id.has_value(),
          .checkpoint_ns = query.checkpoint_ns.has_value(),
          .checkpoint_id = query.checkpoint_id.has_value(),
          .before = query.before.has_value(),
          .after = !after.empty(),
          .values = query.include.values,
          .writes = query.include.writes,
          .conditions = query.filter.size()};
}

// In the order that ListShape names.
Parameters parameters_of(const CheckpointList& query, const Position& after) {
  Parameters parameters;
  for (const auto* part :
       {&query.thread_id, &query.checkpoint_ns, &query.checkpoint_id, &query.before}) {
    if (*part) parameters.text(**part);
  }
  for (const std::string& part : after) parameters.text(part);
  add_filter(parameters, query.filter);
  parameters.bigint(rows_for(query.limit)).bigint(clamped(query.max_bytes));
  return parameters;
}

Result fetch(Connection& connection, const ReadStatements& statements, const CheckpointList& query,
             const Position& after, const Call& call) {
  const ListShape shape = shape_of(query, after);
  auto parameters = parameters_of(query, after);
  if (shape.conditions > ReadStatements::most_conditions) {
    return run_once(connection, statements.make_list(shape), std::move(parameters), call);
  }
  return connection.run(statements.list(shape), std::move(parameters), Effect::none, call);
}

Parameters parameters_of(const CheckpointQuery& query) {
  Parameters parameters;
  parameters.text(query.thread_id).text(query.checkpoint_ns);
  if (query.checkpoint_id) parameters.text(*query.checkpoint_id);
  return parameters;
}

}  // namespace

std::optional<CheckpointTuple> get(Connection& connection, const ReadStatements& statements,
                                   const CheckpointQuery& query, const Call& call) {
  auto read = read_checkpoints(connection.run(statements.get(!query.checkpoint_id, query.include),
                                              parameters_of(query), Effect::none, call));
  if (read.tuples.empty()) return {};
  return std::move(read.tuples.front());
}

std::optional<std::string> head(Connection& connection, const ReadStatements& statements,
                                const CheckpointQuery& query, const Call& call) {
  const Result rows = connection.run(statements.head(!query.checkpoint_id), parameters_of(query),
                                     Effect::none, call);
  if (rows.empty()) return {};
  return rows.text(0, 0);
}

Page<CheckpointTuple> list(Connection& connection, const ReadStatements& statements,
                           const CheckpointList& query, const Call& call) {
  const MetadataFilter filter(query.filter);  // refuses what is not JSON
  const CursorCodec codec(query);
  const auto after = query.cursor.empty() ? Position() : codec.decode(query.cursor, 3);
  Page<CheckpointTuple> page;
  if (query.limit == 0) return page;
  auto read = read_checkpoints(fetch(connection, statements, query, after, call));
  page.items = std::move(read.tuples);
  if (read.more) {
    const CheckpointTuple& last = page.items.back();
    page.next = codec.encode({last.checkpoint_id, last.thread_id, last.checkpoint_ns});
  }
  return page;
}

}  // namespace threadkeep::postgres
