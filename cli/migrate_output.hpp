// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <migration/tier/migrate.hpp>
#include <migration/tier/reject_file.hpp>
#include <optional>
#include <string>
#include <vector>

#include "json_output.hpp"
#include "progress.hpp"

namespace threadkeep::cli {

/// What a migration prints: lines that begin with `[migrate-tier]`, or with `json` one event in
/// each line. Also keeps rejected rows in their file.
class MigrateOutput {
 public:
  MigrateOutput(bool json, migration::Tier to) : json_(json), to_(to), progress_(json) {}

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
  void finished(const migration::MigrateReport& report);
  void verified(const migration::Verification& verification);
  void reject(const tables::Reject& reject, const migration::Pass& pass);

  /// Where rejected rows go; a name with the run's id where it is empty.
  void reject_to(std::string path) { reject_path_ = std::move(path); }
  const std::string& reject_path() const { return reject_path_; }

 private:
  void line(const std::string& text);
  void event(const std::string& name, Json more);
  void plan_lines(const migration::Analysis& analysis, bool dry_run);
  void plan_event(const migration::Analysis& analysis);
  void precondition(const migration::Analysis& analysis);

  const bool json_;
  const migration::Tier to_;
  Progress progress_;
  std::string reject_path_;
  std::unique_ptr<migration::RejectFile> rejects_;
  std::uint64_t rejected_ = 0;
  std::uint64_t total_rows_ = 0;
  std::uint64_t done_rows_ = 0;
  std::uint64_t done_bytes_ = 0;
  std::uint64_t table_rows_ = 0;
  std::string table_;
};

}  // namespace threadkeep::cli
