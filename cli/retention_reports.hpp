// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "listing.hpp"
#include "retention_command.hpp"

namespace threadkeep::cli {

/// `threadkeep retention status`: policies, schedule and the last sweeps.
class RetentionStatus final : public RetentionCommand {
 public:
  explicit RetentionStatus(CLI::App& parent);

 private:
  ExitStatus execute() override;

  std::size_t runs_ = 10;
};

/// `threadkeep retention audit`: what was deleted and ordered, by whom, and what should
/// expire and does not.
class RetentionAudit final : public RetentionCommand {
 public:
  explicit RetentionAudit(CLI::App& parent);

 private:
  ExitStatus execute() override;

  ExitStatus show_expiry();

  PageOptions pages_;
  bool expiry_ = false;
};

}  // namespace threadkeep::cli
