// SPDX-License-Identifier: Apache-2.0
#include "columns.hpp"
#include "requests.hpp"
#include "retention/sql.hpp"
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
                       &swept.collected, &swept.tombstones, &swept.notes}) {
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
  return audit_page(cursor, limit, [&](const std::string& before, std::size_t wanted) {
    const std::string parameters[] = {before, std::to_string(wanted)};
    std::vector<AuditEntry> entries;
    for (const auto& row : query(sql::read_audit, parameters, call)) {
      entries.push_back(read_entry(row));
    }
    return entries;
  });
}

}  // namespace threadkeep::retention
