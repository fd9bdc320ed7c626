// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <migration/tier/rollback.hpp>
#include <optional>
#include <string>

#include "event_output.hpp"
#include "store_command.hpp"

namespace threadkeep::cli {

/// `threadkeep migrate-tier rollback`: deletes what a run has put into a target.
class MigrateTierRollback final : public StoreCommand {
 public:
  explicit MigrateTierRollback(CLI::App& migrate_tier);

 private:
  ExitStatus execute() override;
  ExitStatus roll_back(migration::Rollback& rollback, const Call& call);
  migration::RollbackEvents events();
  void show(const migration::RollbackAnalysis& analysis);
  void show_table(const migration::TableRollback& table);
  void stays(const std::string& table, const tables::StayingRow& row);
  void batch(const migration::TableRollback& table);
  void confirm(const migration::RollbackAnalysis& analysis) const;
  ExitStatus finish(const migration::RollbackAnalysis& analysis);

  std::string run_;
  bool dry_run_ = false;
  bool yes_ = false;
  bool no_wait_ = false;
  std::uint64_t batch_rows_ = migration::BatchLimits{}.rows;
  std::chrono::milliseconds::rep lock_timeout_ = 60'000;
  std::optional<EventOutput> output_;
  std::uint64_t to_delete_ = 0;
  std::map<std::string, std::uint64_t> deleted_;  // By table.
  std::map<std::string, std::uint64_t> staying_;
};

}  // namespace threadkeep::cli
