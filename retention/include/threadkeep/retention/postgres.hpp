// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "threadkeep/retention/policy.hpp"
#include "threadkeep/retention/reports.hpp"
#include "threadkeep/sql_host.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::retention {

/// The retention that lives in a Postgres store: tables and functions of its schema, which psql,
/// cron or pg_cron call without threadkeep; see docs/operation/retention.md. Thread-safe; the store
/// must outlive it. Where retention is not installed, or by an older version, what needs it throws
/// Error(unsupported).
class PostgresRetention {
 public:
  /// Throws Error(unsupported) when the store has no SQL database.
  explicit PostgresRetention(Store& store);

  /// Creates or replaces what retention needs, in one transaction. Idempotent. To be done through
  /// the role that owns the tables: the functions act with its rights. Throws Error(unsupported)
  /// when a newer version of threadkeep has installed its own.
  void install(const Call& call);
  /// Lets a role preview and sweep, and nothing else.
  void grant(const std::string& role, const Call& call);

  /// Replaces the policies of the store.
  void apply(std::span<const Policy> policies, const Call& call);
  std::vector<Policy> policies(const Call& call);

  /// What a sweep would take now by the stored policies, ordered by policy and reason.
  std::vector<Due> preview(const Call& call);
  /// The same by other policies, before they are applied.
  std::vector<Due> preview(std::span<const Policy> policies, const Call& call);
  /// Sweeps in batches, each of them a transaction. One that is stopped by `call` leaves its place
  /// to the next at once. Throws Error also where a batch failed; the run tells why.
  SweepResult sweep(const SweepOptions& options, const Call& call);

  /// The newest first.
  std::vector<Run> runs(std::size_t limit, const Call& call);
  /// The newest first; `cursor` is empty or `next` of the page before.
  Page<AuditEntry> audit(const std::string& cursor, std::size_t limit, const Call& call);

  /// True where the extension pg_cron is installed in this database.
  bool has_cron(const Call& call);
  /// Lets pg_cron sweep as the role of this connection, instead of any schedule before. Throws
  /// Error(invalid_argument) for what cron_expression() does not know.
  void schedule(std::chrono::seconds every, const Call& call);
  /// False: nothing was scheduled.
  bool unschedule(const Call& call);
  /// What this role has scheduled. Absent also where there is no pg_cron.
  std::optional<Job> scheduled(const Call& call);

  /// A pin keeps a thread as it is, and so does each hold until it is released. When these return,
  /// no sweep that judged the thread before deletes from it any more. False: it was so already.
  bool pin(const std::string& thread_id, const Call& call);
  bool unpin(const std::string& thread_id, const Call& call);
  bool hold(const std::string& thread_id, const std::string& name, const Call& call);
  bool release(const std::string& thread_id, const std::string& name, const Call& call);
  /// The thread goes at that time (microseconds since 1970 UTC) and not before by being idle. An
  /// absent time leaves it to the policies again.
  void expire(const std::string& thread_id, std::optional<std::int64_t> at, const Call& call);

 private:
  bool mark(const std::string& thread_id, const char* kind, const std::string& name, bool set,
            const Call& call);
  std::vector<Due> preview(const std::string& policies, const Call& call);
  std::vector<SqlHost::Row> query(std::string_view statement,
                                  std::span<const std::string> parameters, const Call& call);
  /// Ends a run; what it did, in words.
  std::string finish(std::int64_t run, bool done, const std::string& error, const Call& call);

  SqlHost& sql_;
};

}  // namespace threadkeep::retention
