// SPDX-License-Identifier: Apache-2.0
#include "columns.hpp"
#include "retention/sql.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/retention/postgres.hpp"

namespace threadkeep::retention {

namespace {

Run read_run(const SqlHost::Row& row) {
  Columns columns(row);
  Run run;
  run.run = columns.number<std::int64_t>();
  for (auto* text : {&run.kind, &run.state, &run.who}) *text = columns.text();
  run.started_at = columns.number<std::int64_t>();
  const bool is_over = !columns.is_null();
  const auto finished_at = columns.number<std::int64_t>();
  if (is_over) run.finished_at = finished_at;
  run.error = columns.text();
  Swept& swept = run.swept;
  for (auto* number : {&swept.threads, &swept.checkpoints, &swept.writes, &swept.bytes, &swept.busy,
                       &swept.collected}) {
    *number = columns.number();
  }
  return run;
}

AuditEntry read_entry(const SqlHost::Row& row) {
  Columns columns(row);
  AuditEntry entry;
  entry.id = columns.number<std::int64_t>();
  entry.at = columns.number<std::int64_t>();
  for (auto* text : {&entry.who, &entry.action, &entry.policy, &entry.reason, &entry.thread_id}) {
    *text = columns.text();
  }
  entry.run = columns.number<std::int64_t>();
  for (auto* number :
       {&entry.threads, &entry.checkpoints, &entry.writes, &entry.blobs, &entry.bytes}) {
    *number = columns.number();
  }
  return entry;
}

}  // namespace

std::vector<Run> PostgresRetention::runs(std::size_t limit, const Call& call) {
  const std::string parameters[] = {std::to_string(limit)};
  std::vector<Run> all;
  for (const auto& row : query(sql::read_runs, parameters, call)) all.push_back(read_run(row));
  return all;
}

Page<AuditEntry> PostgresRetention::audit(const std::string& cursor, std::size_t limit,
                                          const Call& call) {
  if (cursor.find_first_not_of("0123456789") != std::string::npos || cursor.size() > 18) {
    throw Error(Code::invalid_argument, "cursor is damaged; take that of the page before");
  }
  // One more than was asked for shows whether there is another page.
  const std::string parameters[] = {cursor, std::to_string(limit + 1)};
  Page<AuditEntry> page;
  for (const auto& row : query(sql::read_audit, parameters, call)) {
    page.items.push_back(read_entry(row));
  }
  if (page.items.size() > limit) {
    page.items.pop_back();
    page.next = page.items.empty() ? cursor : std::to_string(page.items.back().id);
  }
  return page;
}

}  // namespace threadkeep::retention
