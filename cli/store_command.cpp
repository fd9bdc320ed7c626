// SPDX-License-Identifier: Apache-2.0
#include "store_command.hpp"

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "interrupt.hpp"
#include "printable.hpp"

namespace threadkeep::cli {

namespace {

const std::map<std::string, std::chrono::milliseconds::rep>& units() {
  static const std::map<std::string, std::chrono::milliseconds::rep> all = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  return all;
}

}  // namespace

Refusal no_thread(const std::string& thread_id, const std::string& store_name) {
  return {ExitStatus::failed, "not_found",
          "no checkpoints of thread '" + printable(thread_id) + "' in " + store_name +
              "; `threadkeep threads list` shows the threads that are there"};
}

StoreCommand::StoreCommand(CLI::App& parent, const std::string& name,
                           const std::string& description, const std::string& footer)
    : app_(parent.add_subcommand(name, description)) {
  app_->add_option("--url", url_, "The store, such as sqlite:agent.db or postgresql://host/agents")
      ->envname("THREADKEEP_URL")
      ->required();
  app_->add_option("--timeout", timeout_, "Time for all of it, such as 500ms, 90s, 30m, 6h")
      ->transform(CLI::AsNumberWithUnit(units(), CLI::AsNumberWithUnit::UNIT_REQUIRED, "DURATION"));
  json_flag_ = app_->add_flag("--json", json_, "Report as one JSON object");
  app_->footer(
      footer +
      "\n\nExit status: 0 done, 1 the store refused or could not be reached, 2 wrong usage.");
}

ExitStatus StoreCommand::run() {
  try {
    return execute();
  } catch (const Error& error) {
    report(error.what(), std::string(to_string(error.code())));
    return error.code() == Code::invalid_argument ? ExitStatus::usage : ExitStatus::failed;
  } catch (const Refusal& refusal) {
    report(refusal.message, refusal.code);
    return refusal.status;
  }
}

// Errors of a URL do not name it, so that no password is printed.
void StoreCommand::report(const std::string& problem, const std::string& code) const {
  if (json_) {
    const nlohmann::json object = {{"ok", false}, {"message", problem}, {"code", code}};
    std::cout << object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    std::cerr << "threadkeep: " << problem << "\n";
  }
}

Call StoreCommand::call() const {
  static const std::stop_token stop = stop_on_interrupt();
  return {.deadline = Deadline::after(std::chrono::milliseconds(timeout_)), .stop = stop};
}

std::shared_ptr<Store> StoreCommand::open_store() const {
  return open(url_);
}

std::string StoreCommand::store_name() const {
  return Url::parse(url_).redacted();
}

}  // namespace threadkeep::cli
