// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "retention_command.hpp"

namespace threadkeep::cli {

/// `threadkeep doctor`: what may fail in a store or lose data, and what to do about it.
class DoctorCommand final : public RetentionCommand {
 public:
  explicit DoctorCommand(CLI::App& app);

 private:
  ExitStatus execute() override;
  /// What the policies of retention say, for they delete.
  Finding examine_policies(const Call& call);
  Finding without_retention(const std::string& why) const;

  std::vector<retention::Policy> policies_;  // for programs
};

}  // namespace threadkeep::cli
