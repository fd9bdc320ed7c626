// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <threadkeep/table_store.hpp>
#include <vector>

#include "migration/tier/migrate.hpp"

namespace threadkeep::migration {

/// What is asked for.
struct RollbackOptions {
  std::string run;
  std::uint64_t batch_rows = BatchLimits{}.rows;
  std::chrono::milliseconds lock_patience = std::chrono::minutes(1);
};

/// One table of a run.
struct TableRollback {
  tables::Table table;
  tables::WrittenRows found{};
  std::uint64_t deleted = 0;  ///< So far, by this process.
};

/// What is known before anything is done.
struct RollbackAnalysis {
  tables::DatabaseInfo target;
  std::vector<TableRollback> tables;  ///< In the order in which rows are deleted.
  std::vector<std::string> gone;      ///< Tables of the run that the target has no more.
  std::uint64_t to_delete() const noexcept;
  std::uint64_t changed() const noexcept;  ///< Rows of the run that stay, for others changed them.
};

/// What happens on the way.
struct RollbackEvents {
  std::function<void(const tables::DatabaseInfo&)> target;
  /// A row that the run wrote and that stays. Told by analyze(), and by carry_out() again for
  /// tables whose rows were changed in between.
  std::function<void(const std::string& table, const tables::StayingRow&)> stays;
  std::function<void(const tables::LockHolder&)> waiting;
  std::function<void(const std::string& lock)> locked;
  std::function<void(const TableRollback&)> batch;  ///< Was committed.
  std::function<void(const TableRollback&)> table;  ///< Has no more rows to delete.
};

/// Deletes the rows that a run of a migration has put into a target and that nobody has changed
/// since, children before parents. Rows that it changed stay as they are; threads stay. The run
/// must have noted its rows: PlanOptions::row_log. Holds connections. Not thread-safe.
class Rollback {
 public:
  /// Opens the target. Throws Error, and Refused where the place has no tables.
  Rollback(const std::string& target_url, RollbackOptions options, RollbackEvents events,
           const Call& call);
  ~Rollback();
  Rollback(const Rollback&) = delete;
  Rollback& operator=(const Rollback&) = delete;

  /// Looks at each row of the run. Changes nothing, takes no lock. Throws Refused where there is no
  /// such run, where it has noted no rows, and where rows that stay refer to others that would be
  /// deleted; Error.
  const RollbackAnalysis& analyze(const Call& call);

  /// Carries out what analyze() has found, under the lock, in batches. The run is forgotten then,
  /// unless rows of it were changed by others; it can not be gone on with in any case. Throws
  /// Refused, Interrupted, TargetRefused; Error(unavailable) where the lock cannot be had.
  const RollbackAnalysis& carry_out(const Call& call);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace threadkeep::migration
