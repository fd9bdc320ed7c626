// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "retention_command.hpp"

namespace threadkeep::cli {

/// `threadkeep retention schedule`: by pg_cron, or what to write for cron and systemd.
class RetentionSchedule final : public RetentionCommand {
 public:
  explicit RetentionSchedule(CLI::App& parent);

 private:
  ExitStatus execute() override;
  ExitStatus print_instead(const std::string& expression, const std::string& reason) const;

  std::chrono::milliseconds::rep every_ = 900'000;
};

/// `threadkeep retention unschedule`: takes it away from pg_cron.
class RetentionUnschedule final : public RetentionCommand {
 public:
  explicit RetentionUnschedule(CLI::App& parent);

 private:
  ExitStatus execute() override;
};

}  // namespace threadkeep::cli
