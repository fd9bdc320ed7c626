// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <threadkeep/threadkeep.hpp>

#include "exit_status.hpp"
#include "refusal.hpp"
#include "store_choice.hpp"

namespace threadkeep::cli {

/// Nothing of a thread is there: `what` was looked for, such as "checkpoints".
Refusal no_thread(const std::string& what, const std::string& thread_id,
                  const std::string& store_name);

/// A command on one store: what all of them have in common. A command is made before the arguments
/// are parsed, so that CLI11 can describe it, and runs when it was chosen.
class StoreCommand {
 public:
  StoreCommand(CLI::App& parent, const std::string& name, const std::string& description,
               const std::string& footer, const std::string& exit_status = usual_exit_status);
  virtual ~StoreCommand() = default;
  StoreCommand(const StoreCommand&) = delete;  // CLI11 refers to the options
  StoreCommand& operator=(const StoreCommand&) = delete;

  bool chosen() const { return app_->parsed(); }
  /// Carries it out and prints its result, or what went wrong and what to do.
  ExitStatus run();

 protected:
  static constexpr const char* usual_exit_status =
      "0 done, 1 the store refused or could not be reached, 2 wrong usage.";

  /// Throws Error or Refusal.
  virtual ExitStatus execute() = 0;

  CLI::App& options() { return *app_; }
  /// What it prints for people may be long: adds --no-pager. See Pager.
  void print_by_pager();
  /// The URL has this name too; see StoreChoice::add_name().
  void name_url(const std::string& name, const std::string& help,
                const std::string& variable = "THREADKEEP_URL") {
    choice_.add_name(*app_, name, help, variable);
  }
  CLI::Option* json_flag() { return json_flag_; }
  void default_timeout(std::chrono::milliseconds timeout) { choice_.default_timeout(timeout); }

  const std::string& url() const { return choice_.url(); }
  bool json() const { return json_; }
  const StoreChoice& choice() const { return choice_; }
  /// The time limit, from now on, and Ctrl-C.
  Call call() const;
  /// Only commands that bring something into a store make one where there is none.
  std::shared_ptr<Store> open_store(FirstUse first_use = FirstUse::refuses) const;
  /// "sqlite:agent.db", without a password.
  std::string store_name() const;

 private:
  void report(const std::string& problem, const std::string& code) const;

  CLI::App* app_;
  StoreChoice choice_;
  CLI::Option* json_flag_;
  bool json_ = false;
  bool pages_ = false;
  bool no_pager_ = false;
};

}  // namespace threadkeep::cli
