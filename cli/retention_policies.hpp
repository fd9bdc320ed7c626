// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "retention_command.hpp"

namespace threadkeep::cli {

/// `threadkeep retention install`: tables and functions in the store's schema.
class RetentionInstall final : public RetentionCommand {
 public:
  explicit RetentionInstall(CLI::App& parent);

 private:
  ExitStatus execute() override;

  std::string grantee_;
};

/// `threadkeep retention apply`: the policies of the configuration file go into the store.
class RetentionApply final : public RetentionCommand {
 public:
  explicit RetentionApply(CLI::App& parent);

 private:
  ExitStatus execute() override;

  std::string archive_;
};

/// `threadkeep retention preview`: what is due.
class RetentionPreview final : public RetentionCommand {
 public:
  explicit RetentionPreview(CLI::App& parent);

 private:
  ExitStatus execute() override;
  /// Says so where the file is not what the store has.
  void print_drift(std::optional<bool> same) const;

  bool of_file_ = false;
};

}  // namespace threadkeep::cli
