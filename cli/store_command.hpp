// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <threadkeep/threadkeep.hpp>

#include "exit_status.hpp"

namespace threadkeep::cli {

/// Why a command cannot go on, where the store itself did nothing wrong. Reported as an Error is.
struct Refusal {
  ExitStatus status;
  std::string code;  ///< "not_found": for programs.
  std::string message;
};

Refusal no_thread(const std::string& thread_id, const std::string& store_name);

/// A command on one store: what all of them have in common. A command is made before the arguments
/// are parsed, so that CLI11 can describe it, and runs when it was chosen.
class StoreCommand {
 public:
  StoreCommand(CLI::App& parent, const std::string& name, const std::string& description,
               const std::string& footer);
  virtual ~StoreCommand() = default;
  StoreCommand(const StoreCommand&) = delete;  // CLI11 refers to the options
  StoreCommand& operator=(const StoreCommand&) = delete;

  bool chosen() const { return app_->parsed(); }
  /// Carries it out and prints its result, or what went wrong and what to do.
  ExitStatus run();

 protected:
  /// Throws Error or Refusal.
  virtual ExitStatus execute() = 0;

  CLI::App& options() { return *app_; }
  CLI::Option* json_flag() { return json_flag_; }
  void default_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout.count(); }

  const std::string& url() const { return url_; }
  bool json() const { return json_; }
  /// The time limit, from now on, and Ctrl-C.
  Call call() const;
  std::shared_ptr<Store> open_store() const;
  /// "sqlite:agent.db", without a password.
  std::string store_name() const;

 private:
  void report(const std::string& problem, const std::string& code) const;

  CLI::App* app_;
  CLI::Option* json_flag_;
  std::string url_;
  std::chrono::milliseconds::rep timeout_ = 30'000;
  bool json_ = false;
};

}  // namespace threadkeep::cli
