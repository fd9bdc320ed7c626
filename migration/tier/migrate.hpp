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
  std::chrono::milliseconds lock_patience = std::chrono::minutes(1);
};

/// What is known before anything is done.
struct Analysis {
  tables::DatabaseInfo source;
  tables::DatabaseInfo target;
  Plan plan;
  std::optional<tables::Run> unfinished;  ///< That this migration goes on with.
  std::uint64_t target_rows = 0;          ///< In the tables that get rows.
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
  CopyEvents copy;
};

/// What a migration has done.
struct MigrateReport {
  tables::Run run;
  Verification verification;  ///< Without what was expected.
  std::uint64_t rejected = 0;
};

/// A migration of the tables of one database into another. Holds connections. Not thread-safe.
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
  /// Interrupted, TooManyRejects, SourceError; Error(unavailable) where the lock cannot be had.
  MigrateReport carry_out(const Call& call);

  /// After analyze_for_verification(): compares source and target. Changes nothing.
  Verification verify(const Call& call);
  const Analysis& analyze_for_verification(const Call& call);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace threadkeep::migration
