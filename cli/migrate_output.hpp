// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <migration/tier/migrate.hpp>
#include <migration/tier/reject_file.hpp>
#include <optional>
#include <string>
#include <vector>

#include "event_output.hpp"

namespace threadkeep::cli {

/// What a copy to another tier prints. Also keeps rejected rows in their file.
class MigrateOutput : private EventOutput {
 public:
  MigrateOutput(bool json, migration::Tier to) : EventOutput(json), to_(to) {}

  void source(const tables::DatabaseInfo& info);
  void target(const tables::DatabaseInfo& info);
  /// The plan; of a dry run with the rows of each table.
  void plan(const migration::Analysis& analysis, bool dry_run);
  void dry_run_complete(const migration::Analysis& analysis);
  void waiting(const tables::LockHolder& holder);
  void locked(const std::string& lock);
  void run(const tables::Run& run, bool resumed);
  void batch(const migration::TablePlan& table, std::uint64_t rows, std::size_t bytes);
  void table(const migration::TablePlan& table, const tables::Counts& counts);
  void links(const migration::TablePlan& table, const tables::Counts& counts);
  void sequences(std::uint64_t moved);
  void verifying();
  void verdict(const migration::TableVerdict& verdict);
  void again(const std::vector<std::string>& tables);
  void store(const migration::StoreReport& report);
  void store_problem(const migration::StoreProblem& problem);
  void store_progress(const migration::StoreProgress& progress);
  void finished(const migration::MigrateReport& report);
  void verified(const migration::Verification& tables,
                const std::optional<migration::StoreReport>& store,
                const tables::Counts& told_before = {});
  void reject(const tables::Reject& reject, const migration::Pass& pass);

  /// Where rejected rows go; a name with the run's id where it is empty.
  void reject_to(std::string path) { reject_path_ = std::move(path); }
  const std::string& reject_path() const { return reject_path_; }

 private:
  void plan_lines(const migration::Analysis& analysis, bool dry_run);
  void plan_event(const migration::Analysis& analysis);
  void store_lines(const migration::StoreCounts& counts);
  void precondition(const migration::Analysis& analysis);

  const migration::Tier to_;
  std::string reject_path_;
  std::unique_ptr<migration::RejectFile> rejects_;
  std::uint64_t rejected_ = 0;
  std::uint64_t total_rows_ = 0;
  std::uint64_t done_rows_ = 0;
  std::uint64_t done_bytes_ = 0;
  std::map<std::string, std::uint64_t> table_rows_;  // That were done since the start.
};

}  // namespace threadkeep::cli
