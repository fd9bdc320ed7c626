// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "store_command.hpp"

namespace threadkeep::cli {

/// `threadkeep setup`: brings a store to the form that this version uses, or prints how.
class SetupCommand final : public StoreCommand {
 public:
  explicit SetupCommand(CLI::App& app);

 private:
  ExitStatus execute() override;
  void print_script() const;
  void set_up() const;

  bool print_sql_ = false;
  std::string role_;
  std::string grantee_;
};

}  // namespace threadkeep::cli
