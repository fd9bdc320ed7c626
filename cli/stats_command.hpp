// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "store_command.hpp"

namespace threadkeep::cli {

/// `threadkeep stats`: how much a store holds, and where.
class StatsCommand final : public StoreCommand {
 public:
  explicit StatsCommand(CLI::App& app);

 private:
  ExitStatus execute() override;

  StatsQuery query_;
  std::size_t days_ = 14;
};

}  // namespace threadkeep::cli
