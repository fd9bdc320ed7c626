// SPDX-License-Identifier: Apache-2.0
#include "sqlite/retention.hpp"

#include <algorithm>

#include "mutations.hpp"
#include "sqlite/schema_sql.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::sqlite {

namespace {

using namespace retention;

std::uint64_t number(const Rows& rows, int column) {
  return static_cast<std::uint64_t>(rows.integer(column));
}

std::int64_t number(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

CheckpointRow read_checkpoint(const Rows& rows) {
  return {rows.text(0), rows.text(1), rows.optional_text(2), rows.text(3), rows.text(4)};
}

class RetentionTransaction final : public Transaction {
 public:
  RetentionTransaction(Connection& connection, std::int64_t now)
      : connection_(connection), now_(now) {}

  std::int64_t now() const override { return now_; }
  int version() override;
  void install(int version) override;
  std::vector<std::string> threads_after(const std::string& after, std::size_t limit) override;
  ThreadGlance glance(const std::string& thread_id) override;
  Activity activity(const std::vector<std::string>& thread_ids) override;
  void renew(const std::string& thread_id) override;
  ThreadRows load(const std::string& thread_id) override;
  bool erase_thread(const ThreadRows& judged) override;
  bool erase_checkpoints(const ThreadRows& judged, const CheckpointsByNamespace& gone) override;
  std::string policies() override;
  bool set_policies(const std::string& seen, const std::string& policies,
                    bool archive_required) override;
  bool mark(const std::string& thread_id, const std::string& kind, const std::string& name,
            bool set) override;
  void expire(const std::string& thread_id, std::optional<std::int64_t> at) override;
  std::vector<RunRecord> runs(std::size_t limit) override;
  std::int64_t add_run(const RunRecord& run, std::int64_t newest) override;
  bool change_run(const RunRecord& run) override;
  std::vector<AuditEntry> audit(std::int64_t before, std::size_t limit) override;
  void add_audit(const AuditEntry& entry) override;
  std::uint64_t count_tombstones(std::int64_t before) override;
  std::uint64_t purge_tombstones(std::int64_t before, std::size_t limit) override;
  std::uint64_t count_notes(std::int64_t before) override;
  std::uint64_t purge_notes(std::int64_t before, std::size_t limit) override;

 private:
  void add_counts_to_runs();
  // False when there is no such thread.
  bool load_thread(const std::string& thread_id, ThreadRows& thread);
  void load_orders(const std::string& thread_id, ThreadRows& thread);
  void load_checkpoints(const std::string& thread_id, ThreadRows& thread);
  void load_writes(const std::string& thread_id, ThreadRows& thread);
  void load_blobs(const std::string& thread_id, ThreadRows& thread);

  Connection& connection_;
  const std::int64_t now_;
};

int RetentionTransaction::version() {
  const bool is_there =
      connection_
          .query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'threadkeep_modules'")
          .next();
  if (!is_there) return 0;
  Rows rows = connection_.query("SELECT version FROM threadkeep_modules WHERE name = 'retention'");
  return rows.next() ? static_cast<int>(rows.integer(0)) : 0;
}

void RetentionTransaction::install(int version) {
  if (this->version() == 1) add_counts_to_runs();
  connection_.run_script(retention_sql);
  connection_.execute(
      "INSERT INTO threadkeep_modules (name, version) VALUES ('retention', ?1) "
      "ON CONFLICT (name) DO UPDATE SET version = excluded.version",
      std::int64_t{version});
}

// Version 1 did not have them.
void RetentionTransaction::add_counts_to_runs() {
  for (const char* column : {"busy", "tombstones", "notes"}) {
    const std::string change = std::string("ALTER TABLE threadkeep_retention_runs ADD COLUMN ") +
                               column + " INTEGER NOT NULL DEFAULT 0";
    connection_.run_script(change.c_str());
  }
}

std::vector<std::string> RetentionTransaction::threads_after(const std::string& after,
                                                             std::size_t limit) {
  std::vector<std::string> ids;
  Rows rows = connection_.query(
      "SELECT thread_id FROM threadkeep_threads WHERE thread_id > ?1 ORDER BY thread_id LIMIT ?2",
      after, number(limit));
  while (rows.next()) ids.push_back(rows.text(0));
  return ids;
}

// Finds the edges in the index of the key, and reads the documents of these alone.
ThreadGlance RetentionTransaction::glance(const std::string& thread_id) {
  ThreadGlance glance;
  if (!load_thread(thread_id, glance.edges)) return glance;
  Rows rows = connection_.query(
      "SELECT edge.checkpoint_ns, edge.checkpoint_id, parent_checkpoint_id, checkpoint, metadata, "
      "count FROM (SELECT checkpoint_ns, min(checkpoint_id) AS checkpoint_id, count(*) AS count "
      "FROM checkpoints WHERE thread_id = ?1 GROUP BY checkpoint_ns UNION ALL "
      "SELECT checkpoint_ns, max(checkpoint_id), count(*) FROM checkpoints WHERE thread_id = ?1 "
      "GROUP BY checkpoint_ns HAVING count(*) > 1) AS edge CROSS JOIN checkpoints AS row "
      "ON row.thread_id = ?1 AND row.checkpoint_ns = edge.checkpoint_ns "
      "AND row.checkpoint_id = edge.checkpoint_id "
      "ORDER BY edge.checkpoint_ns, edge.checkpoint_id",
      thread_id);
  while (rows.next()) {
    glance.edges.checkpoints.push_back(read_checkpoint(rows));
    glance.longest = std::max(glance.longest, static_cast<std::size_t>(rows.integer(5)));
  }
  return glance;
}

Activity RetentionTransaction::activity(const std::vector<std::string>& thread_ids) {
  Activity found;
  found.version = version();
  if (found.version == 0) return found;
  found.policies = policies();
  for (const std::string& id : thread_ids) {
    Rows rows =
        connection_.query("SELECT updated_at FROM threadkeep_threads WHERE thread_id = ?1", id);
    found.updated_at.push_back(rows.next() ? std::optional(rows.integer(0)) : std::nullopt);
  }
  return found;
}

void RetentionTransaction::renew(const std::string& thread_id) {
  connection_.execute("UPDATE threadkeep_threads SET updated_at = ?2 WHERE thread_id = ?1",
                      thread_id, now_);
}

ThreadRows RetentionTransaction::load(const std::string& thread_id) {
  ThreadRows thread;
  if (!load_thread(thread_id, thread)) return thread;
  load_checkpoints(thread_id, thread);
  load_writes(thread_id, thread);
  load_blobs(thread_id, thread);
  return thread;
}

bool RetentionTransaction::load_thread(const std::string& thread_id, ThreadRows& thread) {
  Rows rows = connection_.query(
      "SELECT created_at, updated_at, revision, metadata FROM threadkeep_threads "
      "WHERE thread_id = ?1",
      thread_id);
  if (!rows.next()) return false;
  thread.info =
      ThreadInfo{thread_id, rows.integer(0), rows.integer(1), rows.integer(2), rows.text(3)};
  load_orders(thread_id, thread);
  return true;
}

void RetentionTransaction::load_orders(const std::string& thread_id, ThreadRows& thread) {
  Rows marks = connection_.query(
      "SELECT DISTINCT kind FROM threadkeep_retention_marks WHERE thread_id = ?1", thread_id);
  while (marks.next()) (marks.view(0) == "pin" ? thread.pinned : thread.held) = true;
  Rows expiry = connection_.query(
      "SELECT expires_at FROM threadkeep_retention_expiry WHERE thread_id = ?1", thread_id);
  if (expiry.next()) thread.expires_at = expiry.integer(0);
}

void RetentionTransaction::load_checkpoints(const std::string& thread_id, ThreadRows& thread) {
  Rows rows = connection_.query(
      "SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata "
      "FROM checkpoints WHERE thread_id = ?1 ORDER BY checkpoint_ns, checkpoint_id",
      thread_id);
  while (rows.next()) thread.checkpoints.push_back(read_checkpoint(rows));
}

// The length of a blob is known without reading it.
void RetentionTransaction::load_writes(const std::string& thread_id, ThreadRows& thread) {
  Rows rows = connection_.query(
      "SELECT checkpoint_ns, checkpoint_id, channel, length(blob), "
      "CASE WHEN idx < 0 THEN type END, CASE WHEN idx < 0 THEN blob END "
      "FROM checkpoint_writes WHERE thread_id = ?1",
      thread_id);
  while (rows.next()) {
    thread.writes.push_back({rows.text(0), rows.text(1), rows.text(2), number(rows, 3),
                             rows.text(4) + '\0' + rows.text(5)});
  }
}

void RetentionTransaction::load_blobs(const std::string& thread_id, ThreadRows& thread) {
  Rows rows = connection_.query(
      "SELECT checkpoint_ns, channel, version, length(blob), type <> ?2 FROM checkpoint_blobs "
      "WHERE thread_id = ?1",
      thread_id, std::string_view(empty_type));
  while (rows.next()) {
    thread.blobs.push_back(
        {rows.text(0), rows.text(1), rows.text(2), number(rows, 3), rows.integer(4) != 0});
  }
}

bool RetentionTransaction::erase_thread(const ThreadRows& judged) {
  const std::string& thread_id = judged.info->thread_id;
  delete_thread(connection_, {thread_id}, now_);
  expire(thread_id, {});
  return true;
}

bool RetentionTransaction::erase_checkpoints(const ThreadRows& judged,
                                             const CheckpointsByNamespace& gone) {
  for (const auto& [checkpoint_ns, ids] : gone) {
    sqlite::erase_checkpoints(connection_, judged.info->thread_id, checkpoint_ns, ids, now_);
  }
  return true;
}

std::string RetentionTransaction::policies() {
  Rows rows = connection_.query("SELECT policies FROM threadkeep_retention_policies");
  return rows.next() ? rows.text(0) : "[]";
}

// Nobody else writes in between.
bool RetentionTransaction::set_policies(const std::string&, const std::string& policies, bool) {
  connection_.execute(
      "INSERT INTO threadkeep_retention_policies (only_row, policies) VALUES (1, ?1) "
      "ON CONFLICT (only_row) DO UPDATE SET policies = excluded.policies",
      policies);
  return true;
}

bool RetentionTransaction::mark(const std::string& thread_id, const std::string& kind,
                                const std::string& name, bool set) {
  return connection_.execute(
             set ? "INSERT INTO threadkeep_retention_marks (thread_id, kind, name) "
                   "VALUES (?1, ?2, ?3) ON CONFLICT (thread_id, kind, name) DO NOTHING"
                 : "DELETE FROM threadkeep_retention_marks "
                   "WHERE thread_id = ?1 AND kind = ?2 AND name = ?3",
             thread_id, kind, name) == 1;
}

void RetentionTransaction::expire(const std::string& thread_id, std::optional<std::int64_t> at) {
  connection_.execute("DELETE FROM threadkeep_retention_expiry WHERE thread_id = ?1", thread_id);
  if (!at) return;
  connection_.execute(
      "INSERT INTO threadkeep_retention_expiry (thread_id, expires_at) VALUES (?1, ?2)", thread_id,
      *at);
}

RunRecord read_run(const Rows& rows) {
  RunRecord run;
  run.run = rows.integer(0);
  run.kind = rows.text(1);
  run.state = rows.text(2);
  run.who = rows.text(3);
  run.started_at = rows.integer(4);
  run.alive_until = rows.integer(5);
  if (rows.integer(6) != 0) run.finished_at = rows.integer(6);
  run.after = rows.text(7);
  run.swept.threads = number(rows, 8);
  run.swept.checkpoints = number(rows, 9);
  run.swept.writes = number(rows, 10);
  run.swept.bytes = number(rows, 11);
  run.error = rows.text(12);
  run.swept.busy = number(rows, 13);
  run.swept.tombstones = number(rows, 14);
  run.swept.notes = number(rows, 15);
  return run;
}

std::vector<RunRecord> RetentionTransaction::runs(std::size_t limit) {
  std::vector<RunRecord> all;
  Rows rows = connection_.query(
      "SELECT run_id, kind, state, who, started_at, alive_until, coalesce(finished_at, 0), "
      "after_thread, threads, checkpoints, writes, bytes, error, busy, tombstones, notes "
      "FROM threadkeep_retention_runs ORDER BY run_id DESC LIMIT ?1",
      number(limit));
  while (rows.next()) all.push_back(read_run(rows));
  return all;
}

std::int64_t RetentionTransaction::add_run(const RunRecord& run, std::int64_t newest) {
  RunRecord added = run;
  added.run = newest + 1;
  change_run(added);
  return added.run;
}

bool RetentionTransaction::change_run(const RunRecord& run) {
  connection_.execute(
      "INSERT OR REPLACE INTO threadkeep_retention_runs (run_id, kind, state, who, started_at, "
      "alive_until, finished_at, after_thread, threads, checkpoints, writes, bytes, error, "
      "busy, tombstones, notes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, 0), ?8, ?9, ?10, ?11, "
      "?12, ?13, ?14, ?15, ?16)",
      run.run, run.kind, run.state, run.who, run.started_at, run.alive_until,
      run.finished_at.value_or(0), run.after, number(run.swept.threads),
      number(run.swept.checkpoints), number(run.swept.writes), number(run.swept.bytes), run.error,
      number(run.swept.busy), number(run.swept.tombstones), number(run.swept.notes));
  return true;
}

AuditEntry read_entry(const Rows& rows) {
  AuditEntry entry;
  entry.id = rows.integer(0);
  entry.at = rows.integer(1);
  entry.who = rows.text(2);
  entry.run = rows.integer(3);
  entry.action = rows.text(4);
  entry.policy = rows.text(5);
  entry.reason = rows.text(6);
  entry.thread_id = rows.text(7);
  entry.threads = number(rows, 8);
  entry.checkpoints = number(rows, 9);
  entry.writes = number(rows, 10);
  entry.blobs = number(rows, 11);
  entry.bytes = number(rows, 12);
  return entry;
}

std::vector<AuditEntry> RetentionTransaction::audit(std::int64_t before, std::size_t limit) {
  std::vector<AuditEntry> entries;
  Rows rows = connection_.query(
      "SELECT audit_id, at, who, run_id, action, policy, reason, thread_id, threads, checkpoints, "
      "writes, blobs, bytes FROM threadkeep_retention_audit "
      "WHERE ?1 = 0 OR audit_id < ?1 ORDER BY audit_id DESC LIMIT ?2",
      before, number(limit));
  while (rows.next()) entries.push_back(read_entry(rows));
  return entries;
}

void RetentionTransaction::add_audit(const AuditEntry& entry) {
  connection_.execute(
      "INSERT INTO threadkeep_retention_audit (at, who, run_id, action, policy, reason, "
      "thread_id, threads, checkpoints, writes, blobs, bytes) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
      entry.at, entry.who, entry.run, entry.action, entry.policy, entry.reason, entry.thread_id,
      number(entry.threads), number(entry.checkpoints), number(entry.writes), number(entry.blobs),
      number(entry.bytes));
}

std::uint64_t RetentionTransaction::count_tombstones(std::int64_t before) {
  Rows rows = connection_.query(
      "SELECT count(*) FROM threadkeep_tombstones WHERE deleted_at > 0 AND deleted_at < ?1",
      before);
  rows.next();
  return number(rows, 0);
}

// A program of format 2 that had the file open knows no time: what it left counts from now.
std::uint64_t RetentionTransaction::purge_tombstones(std::int64_t before, std::size_t limit) {
  connection_.execute("UPDATE threadkeep_tombstones SET deleted_at = ?1 WHERE deleted_at = 0",
                      now_);
  return static_cast<std::uint64_t>(connection_.execute(
      "DELETE FROM threadkeep_tombstones WHERE rowid IN (SELECT rowid FROM threadkeep_tombstones "
      "WHERE deleted_at < ?1 ORDER BY deleted_at LIMIT ?2)",
      before, number(limit)));
}

// The numbers of the first entry and of the first run that stay: the search ends with them.
std::pair<std::int64_t, std::int64_t> first_notes_that_stay(Connection& connection,
                                                            std::int64_t before) {
  Rows rows = connection.query(
      "SELECT coalesce((SELECT audit_id FROM threadkeep_retention_audit WHERE at >= ?1 "
      "ORDER BY audit_id LIMIT 1), 9223372036854775807), "
      "coalesce((SELECT run_id FROM threadkeep_retention_runs "
      "WHERE finished_at IS NULL OR finished_at >= ?1 "
      "ORDER BY run_id LIMIT 1), 9223372036854775807)",
      before);
  rows.next();
  return {rows.integer(0), rows.integer(1)};
}

std::uint64_t RetentionTransaction::count_notes(std::int64_t before) {
  const auto [entry, run] = first_notes_that_stay(connection_, before);
  Rows rows = connection_.query(
      "SELECT (SELECT count(*) FROM threadkeep_retention_audit WHERE audit_id < ?1) + "
      "(SELECT count(*) FROM threadkeep_retention_runs WHERE run_id < ?2)",
      entry, run);
  rows.next();
  return number(rows, 0);
}

std::uint64_t RetentionTransaction::purge_notes(std::int64_t before, std::size_t limit) {
  const auto [entry, run] = first_notes_that_stay(connection_, before);
  const auto entries = connection_.execute(
      "DELETE FROM threadkeep_retention_audit WHERE audit_id IN (SELECT audit_id "
      "FROM threadkeep_retention_audit WHERE audit_id < ?1 ORDER BY audit_id LIMIT ?2)",
      entry, number(limit));
  const auto runs = connection_.execute(
      "DELETE FROM threadkeep_retention_runs WHERE run_id IN (SELECT run_id "
      "FROM threadkeep_retention_runs WHERE run_id < ?1 ORDER BY run_id LIMIT ?2)",
      run, number(limit));
  return static_cast<std::uint64_t>(entries + runs);
}

std::int64_t free_pages(Connection& connection) {
  Rows rows = connection.query("PRAGMA freelist_count");
  rows.next();
  return rows.integer(0);
}

}  // namespace

void RetentionHost::read(const Work& work, const Call& call) {
  const Lease connection = database_.read(call);
  const Snapshot snapshot(*connection);
  RetentionTransaction transaction(*connection, environment_.now());
  work(transaction);
}

void RetentionHost::write(const Work& work, const Call& call) {
  const Lease connection = database_.write(call);
  connection->begin_write();
  RetentionTransaction transaction(*connection, environment_.now());
  work(transaction);
  connection->commit();
}

bool RetentionHost::give_back(const Call& call) {
  const Lease connection = database_.write(call);
  const std::int64_t before = free_pages(*connection);
  if (before == 0) return false;
  {
    Rows rows = connection->query("PRAGMA incremental_vacuum(1000)");
    while (rows.next()) {
    }
  }
  const std::int64_t left = free_pages(*connection);
  return left != 0 && left < before;
}

}  // namespace threadkeep::sqlite
