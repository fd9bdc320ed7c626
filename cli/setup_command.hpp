// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <string>

#include "exit_status.hpp"

namespace threadkeep::cli {

/// `threadkeep setup`: brings a store to the form that this version uses, or prints how.
class SetupCommand {
 public:
  explicit SetupCommand(CLI::App& app);
  SetupCommand(const SetupCommand&) = delete;  // CLI11 refers to the options
  SetupCommand& operator=(const SetupCommand&) = delete;

  bool chosen() const { return command_->parsed(); }
  ExitStatus run() const;

 private:
  void print_script() const;
  void set_up() const;
  void report(const std::string& text, const std::string& code) const;

  CLI::App* command_;
  std::string url_;
  std::chrono::milliseconds::rep timeout_ = 3'600'000;
  bool json_ = false;
  bool print_sql_ = false;
  std::string role_;
  std::string grantee_;
};

}  // namespace threadkeep::cli
