// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "retention_command.hpp"

namespace threadkeep::cli {

/// `threadkeep retention schedule`: by pg_cron, cron or systemd.
class RetentionSchedule final : public RetentionCommand {
 public:
  explicit RetentionSchedule(CLI::App& parent);

 private:
  ExitStatus execute() override;
  ExitStatus install(const std::string& expression);
  ExitStatus print_instead(const std::string& expression, const std::string& reason) const;

  std::chrono::milliseconds::rep every_ = 900'000;
  std::string archive_;
  std::string install_;
  std::string unit_directory_;
};

/// `threadkeep retention unschedule`: takes it away from them.
class RetentionUnschedule final : public RetentionCommand {
 public:
  explicit RetentionUnschedule(CLI::App& parent);

 private:
  ExitStatus execute() override;
  ExitStatus uninstall() const;

  std::string from_;
  std::string unit_directory_;
};

}  // namespace threadkeep::cli
