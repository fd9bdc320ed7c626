// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "store_command.hpp"

namespace threadkeep::cli {

/// `threadkeep doctor`: what may fail in a store or lose data, and what to do about it.
class DoctorCommand final : public StoreCommand {
 public:
  explicit DoctorCommand(CLI::App& app);

 private:
  ExitStatus execute() override;
};

}  // namespace threadkeep::cli
