// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "listing.hpp"
#include "store_command.hpp"

namespace threadkeep::cli {

/// `threadkeep threads history`: a line for each checkpoint of a thread, newest first.
class ThreadsHistory final : public StoreCommand {
 public:
  explicit ThreadsHistory(CLI::App& threads);

 private:
  ExitStatus execute() override;

  std::string thread_id_;
  std::optional<std::string> ns_;
  PageOptions pages_;
};

}  // namespace threadkeep::cli
