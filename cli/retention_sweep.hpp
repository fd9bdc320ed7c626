// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <archive/archive_directory.hpp>
#include <string>

#include "retention_command.hpp"
#include "run_metrics.hpp"

namespace threadkeep::cli {

/// `threadkeep retention sweep`: deletes what is due; without --yes it shows that.
class RetentionSweep final : public RetentionCommand {
 public:
  explicit RetentionSweep(CLI::App& parent);

 private:
  ExitStatus execute() override;
  ExitStatus show();
  ExitStatus sweep_and_tell();
  ExitStatus sweep();
  std::optional<std::uint64_t> checkpoints_due();
  static retention::Archive archive_to(ops::ArchiveDirectory& directory);

  bool yes_ = false;
  std::string archive_;
  std::chrono::milliseconds::rep time_budget_ = 600'000;
  std::uint32_t batch_size_ = 1000;
  RunMetrics metrics_;
};

}  // namespace threadkeep::cli
