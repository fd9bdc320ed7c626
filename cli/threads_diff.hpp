// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store_command.hpp"

namespace threadkeep::cli {

/// `threadkeep threads diff`: what is not the same in two checkpoints.
class ThreadsDiff final : public StoreCommand {
 public:
  explicit ThreadsDiff(CLI::App& threads);

 private:
  ExitStatus execute() override;

  std::string thread_id_;
  std::string before_ = "latest~1";
  std::string after_ = "latest";
  std::string other_thread_id_;
  std::string ns_;
};

}  // namespace threadkeep::cli
