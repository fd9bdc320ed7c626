// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <migration/tier/migrate.hpp>
#include <optional>
#include <string>
#include <vector>

#include "migrate_output.hpp"
#include "run_metrics.hpp"
#include "store_command.hpp"

namespace threadkeep::cli {

/// What `migrate-tier` and `migrate-tier verify` have in common: two databases, and what of the
/// first one belongs into the second.
class TierCommand : public StoreCommand {
 public:
  TierCommand(CLI::App& parent, const std::string& name, const std::string& description,
              const std::string& examples, const std::string& exit_status);

 protected:
  virtual ExitStatus run_on(migration::Migration& migration, const Call& call) = 0;
  /// The options of the command line.
  virtual migration::MigrateOptions migrate_options() const;
  virtual migration::MigrateEvents events();
  ExitStatus execute() override;

  MigrateOutput& output() { return *output_; }
  const MigrateOutput& output() const { return *output_; }

 private:
  std::string target_url() const;

  std::string to_;
  std::string target_url_;
  migration::SkipChoice skip_;
  migration::BatchLimits limits_;
  std::optional<MigrateOutput> output_;
};

/// `threadkeep migrate-tier`: copies an application's data to another tier.
class MigrateTier final : public TierCommand {
 public:
  explicit MigrateTier(CLI::App& app);

  /// What has commands below it.
  CLI::App& app() { return options(); }

 private:
  ExitStatus execute() override;
  ExitStatus run_on(migration::Migration& migration, const Call& call) override;
  migration::MigrateOptions migrate_options() const override;
  migration::MigrateEvents events() override;
  void confirm(const migration::Analysis& analysis) const;
  migration::MigrateReport copy(migration::Migration& migration, const Call& call);
  ExitStatus carry_out(migration::Migration& migration, const Call& call);
  std::string text_of_order() const;
  std::vector<std::string> read_order() const;

  bool dry_run_ = false;
  bool yes_ = false;
  bool allow_non_empty_ = false;
  bool new_run_ = false;
  bool no_wait_ = false;
  bool row_log_ = false;
  std::string order_;
  std::size_t jobs_ = 1;
  std::uint64_t max_errors_ = 0;
  std::string reject_file_;
  std::chrono::milliseconds::rep lock_timeout_ = 60'000;
  RunMetrics metrics_;
};

/// `threadkeep migrate-tier verify`: compares two tiers.
class MigrateTierVerify final : public TierCommand {
 public:
  explicit MigrateTierVerify(CLI::App& migrate_tier);

 private:
  ExitStatus run_on(migration::Migration& migration, const Call& call) override;
};

}  // namespace threadkeep::cli
