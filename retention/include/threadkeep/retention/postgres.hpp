// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "threadkeep/retention/retention.hpp"
#include "threadkeep/sql_host.hpp"

namespace threadkeep::retention {

/// The retention that lives in a Postgres store: tables and functions of its schema, which psql,
/// cron or pg_cron call without threadkeep. To be installed through the role that owns the tables:
/// the functions act with its rights.
class PostgresRetention final : public Retention {
 public:
  /// Throws Error(unsupported) when the store has no SQL database.
  explicit PostgresRetention(Store& store);

  void install(const Call& call) override;
  /// Lets a role preview and sweep, and nothing else.
  void grant(const std::string& role, const Call& call);

  void apply(std::span<const Policy> policies, const Call& call) override;
  std::vector<Policy> policies(const Call& call) override;
  void require_archive(bool required, const Call& call) override;
  bool archive_required(const Call& call) override;
  void keep(const KeepTimes& times, const Call& call) override;
  KeepTimes keep_times(const Call& call) override;
  std::vector<Due> preview(const Call& call) override;
  std::vector<Due> preview(std::span<const Policy> policies, const Call& call) override;
  Leftovers leftovers(const KeepTimes& times, const Call& call) override;
  SweepResult sweep(const SweepOptions& options, const Call& call) override;
  std::uint64_t refresh(std::span<const std::string> thread_ids, const Call& call) override;
  std::vector<Run> runs(std::size_t limit, const Call& call) override;
  Page<AuditEntry> audit(const std::string& cursor, std::size_t limit, const Call& call) override;

  /// True where the extension pg_cron is installed in this database.
  bool has_cron(const Call& call);
  /// Lets pg_cron sweep as the role of this connection, instead of any schedule before. Throws
  /// Error(invalid_argument) for what cron_expression() does not know.
  void schedule(std::chrono::seconds every, const Call& call);
  /// False: nothing was scheduled.
  bool unschedule(const Call& call);
  /// What this role has scheduled. Absent also where there is no pg_cron.
  std::optional<Job> scheduled(const Call& call);

  bool pin(const std::string& thread_id, const Call& call) override;
  bool unpin(const std::string& thread_id, const Call& call) override;
  bool hold(const std::string& thread_id, const std::string& name, const Call& call) override;
  bool release(const std::string& thread_id, const std::string& name, const Call& call) override;
  void expire(const std::string& thread_id, std::optional<std::int64_t> at,
              const Call& call) override;

 private:
  bool mark(const std::string& thread_id, const char* kind, const std::string& name, bool set,
            const Call& call);
  std::vector<Due> due(const std::string& policies, const Call& call);
  std::vector<SqlHost::Row> query(std::string_view statement,
                                  std::span<const std::string> parameters, const Call& call);
  /// What the next batch may take from: fingerprints of threads as JSON, and the archive that has
  /// them; empty texts where nothing is archived.
  struct Kept {
    std::string seen;
    std::string name;
  };
  Kept keep(std::int64_t run, const SweepOptions& options, const Call& call);
  /// Ends a run; what it did, in words.
  std::string finish(std::int64_t run, bool done, const std::string& error, const Call& call);

  SqlHost& sql_;
};

}  // namespace threadkeep::retention
