// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "store_command.hpp"

namespace threadkeep::cli {

/// `threadkeep threads copy`: a thread under another id.
class ThreadsCopy final : public StoreCommand {
 public:
  explicit ThreadsCopy(CLI::App& threads);

 private:
  ExitStatus execute() override;

  std::string source_;
  std::string target_;
};

/// `threadkeep threads delete`: threads and everything of them, after a question or with --yes.
class ThreadsDelete final : public StoreCommand {
 public:
  explicit ThreadsDelete(CLI::App& threads);

 private:
  ExitStatus execute() override;
  void demand_consent() const;

  std::vector<std::string> thread_ids_;
  bool yes_ = false;
};

}  // namespace threadkeep::cli
