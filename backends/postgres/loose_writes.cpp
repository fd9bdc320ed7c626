// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "checkpoint_rows.hpp"
#include "page.hpp"
#include "reads.hpp"

namespace threadkeep::postgres {

namespace {

// The columns of loose_writes.sql.
namespace column {
enum Column { checkpoint_ns, checkpoint_id, channel, task_id, type, task_path, idx, payload };
}

PendingWrite read_write(const Result& rows, std::size_t row) {
  return {.task_id = rows.text(row, column::task_id),
          .idx = static_cast<std::int32_t>(rows.integer(row, column::idx)),
          .channel = rows.text(row, column::channel),
          .task_path = rows.text(row, column::task_path),
          .type = rows.text(row, column::type),
          .data = rows.bytes(row, column::payload)};
}

}  // namespace

std::vector<PutWrites> loose_writes(Connection& connection, const ReadStatements& statements,
                                    const LooseWritesQuery& query, const Call& call) {
  const auto& [ns, id] = query.after.value_or(std::pair<std::string, std::string>());
  Parameters parameters;
  parameters.text(query.thread_id).text(ns).text(id);
  parameters.bigint(static_cast<std::int64_t>(std::min(query.limit, most_items)));
  const Result rows =
      connection.run(statements.loose_writes(), std::move(parameters), Effect::none, call);
  std::vector<PutWrites> found;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto checkpoint_ns = rows.view(row, column::checkpoint_ns);
    const auto checkpoint_id = rows.view(row, column::checkpoint_id);
    const bool same = !found.empty() && found.back().checkpoint_ns == checkpoint_ns &&
                      found.back().checkpoint_id == checkpoint_id;
    if (!same) {
      found.push_back(
          {query.thread_id, std::string(checkpoint_ns), std::string(checkpoint_id), {}});
    }
    found.back().writes.push_back(read_write(rows, row));
  }
  for (PutWrites& put : found) sort_writes(put.writes);
  return found;
}

}  // namespace threadkeep::postgres
