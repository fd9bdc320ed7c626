// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <threadkeep/table_store.hpp>
#include <vector>

#include "migration/tier/copy.hpp"
#include "migration/tier/plan.hpp"
#include "migration/tier/store_copy.hpp"
#include "migration/tier/tier.hpp"
#include "migration/tier/verify.hpp"

namespace threadkeep::migration {

/// What is asked for.
struct MigrateOptions {
  Tier to = Tier::standalone;
  PlanOptions plan;
  bool allow_non_empty = false;  ///< Rows of the target that are not newer are brought up to date.
  bool new_run = false;          ///< Gives up a run that was not finished.
  BatchLimits limits;
  std::uint64_t max_errors = 0;
  std::size_t jobs = 1;  ///< Tables that are copied at the same time, between Postgres servers.
  std::chrono::milliseconds lock_patience = std::chrono::minutes(1);
};

/// What is known before anything is done.
struct Analysis {
  tables::DatabaseInfo source;
  tables::DatabaseInfo target;
  Plan plan;
  std::optional<tables::Run> unfinished;  ///< That this migration goes on with.
  std::uint64_t target_rows = 0;          ///< In the tables that get rows.
  std::optional<StoreCounts> store;       ///< Of the source's threads, where it has any store.
  std::uint64_t target_threads = 0;

  /// Of tables and store.
  std::uint64_t row_count() const noexcept {
    return plan.row_count() + (store ? store->rows() : 0);
  }
};

/// Nothing was done, for these reasons.
class Refused : public Error {
 public:
  explicit Refused(std::vector<Problem> problems);
  const std::vector<Problem>& problems() const noexcept { return *problems_; }

 private:
  std::shared_ptr<const std::vector<Problem>> problems_;
};

/// The copy ended in the middle. The same migration goes on from there.
class Interrupted : public Error {
 public:
  explicit Interrupted(const Error& error) : Error(error) {}
};

/// The target refused something in the middle, and would refuse it again: a constraint that does
/// not hold at the end of a cycle, a permission, a full disk. Once that is mended the same
/// migration goes on from there.
class TargetRefused : public Error {
 public:
  explicit TargetRefused(const Error& error) : Error(error) {}
};

/// Throws TargetRefused or Interrupted: what an error of the target means that ended the work in
/// the middle.
[[noreturn]] void end_in_the_middle(const Error& error);

/// What happens on the way, besides what a copy tells.
struct MigrateEvents {
  std::function<void(const tables::DatabaseInfo&)> source;
  std::function<void(const tables::DatabaseInfo&)> target;
  std::function<void(const tables::LockHolder&)> waiting;
  std::function<void(const std::string& lock)> locked;
  std::function<void(const tables::Run&, bool resumed)> run;
  std::function<void(std::uint64_t)> sequences;
  std::function<void()> verifying;
  std::function<void(const TableVerdict&)> verdict;
  /// A run that went on has tables which are not equal: they are copied from their start.
  std::function<void(const std::vector<std::string>&)> again;
  /// What became of the threads, and each of their problems.
  std::function<void(const StoreReport&)> store;
  std::function<void(const StoreProblem&)> store_problem;
  std::function<void(const StoreProgress&)> store_progress;
  CopyEvents copy;
};

/// What a migration has done.
struct MigrateReport {
  tables::Run run;
  Verification verification;  ///< Without what was expected.
  std::uint64_t rejected = 0;
  std::optional<StoreReport> store;           ///< The copy of threads.
  std::optional<StoreReport> compared_store;  ///< Their comparison, where the copy had no problem.

  /// Of all tables together.
  tables::Counts counts() const;

  /// Threads that the source has and that could not be read.
  std::uint64_t unreadable() const noexcept {
    return (store ? store->unreadable : 0) + (compared_store ? compared_store->unreadable : 0);
  }
  bool holds() const noexcept {
    return verification.holds() && (!compared_store || compared_store->ok()) && unreadable() == 0;
  }
};

/// What a comparison of two tiers has found.
struct Comparison {
  Verification tables;
  std::optional<StoreReport> store;
  bool holds() const noexcept { return tables.holds() && (!store || store->ok()); }
};

/// A migration of one place into another: the tables of an application, and the threads of a store.
/// A kind of store that has no tables (Redis) takes part with its threads; there is no lock and no
/// run then, for a copy of threads overwrites nothing and may be repeated. Holds connections. Not
/// thread-safe.
class Migration {
 public:
  /// Opens both. Throws SourceError, Error, and Refused where both are the same.
  Migration(const std::string& source_url, const std::string& target_url, MigrateOptions options,
            MigrateEvents events, const Call& call);
  ~Migration();
  Migration(const Migration&) = delete;
  Migration& operator=(const Migration&) = delete;

  /// Compares the two and counts. Changes nothing, takes no lock. Throws Refused with everything
  /// that stands against the migration, SourceError, Error.
  const Analysis& analyze(const Call& call);

  /// Carries out what analyze() has found, under the lock, and verifies it. Throws Refused,
  /// Interrupted, TargetRefused, TooManyRejects, SourceError; Error(unavailable) where the lock
  /// cannot be had.
  MigrateReport carry_out(const Call& call);

  /// After analyze_for_verification(): compares source and target. Changes nothing.
  Comparison verify(const Call& call);
  const Analysis& analyze_for_verification(const Call& call);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace threadkeep::migration
