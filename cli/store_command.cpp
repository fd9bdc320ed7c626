// SPDX-License-Identifier: Apache-2.0
#include "store_command.hpp"

#include <iostream>
#include <new>
#include <optional>
#include <sstream>
#include <string>

#include "interrupt.hpp"
#include "json_output.hpp"
#include "pager.hpp"
#include "printable.hpp"

namespace threadkeep::cli {

Refusal no_thread(const std::string& what, const std::string& thread_id,
                  const std::string& store_name) {
  return {ExitStatus::failed, "not_found",
          "no " + what + " of thread '" + printable(thread_id) + "' in " + store_name +
              "; `threadkeep threads list` shows the threads that are there"};
}

StoreCommand::StoreCommand(CLI::App& parent, const std::string& name,
                           const std::string& description, const std::string& footer,
                           const std::string& exit_status)
    : app_(parent.add_subcommand(name, description)), choice_(*app_) {
  json_flag_ = app_->add_flag("--json", json_, "Report as one JSON object");
  app_->footer(footer + "\n\nExit status: " + exit_status);
}

void StoreCommand::print_by_pager() {
  pages_ = true;
  app_->add_flag("--no-pager", no_pager_, "Print to the terminal, without a pager");
}

ExitStatus StoreCommand::run() {
  try {
    choice_.resolve();
    std::optional<Pager> pager;
    if (pages_ && !no_pager_ && !json_) pager.emplace();
    return execute();
  } catch (const Error& error) {
    report(error.what(), std::string(to_string(error.code())));
    return error.code() == Code::invalid_argument ? ExitStatus::usage : ExitStatus::failed;
  } catch (const Refusal& refusal) {
    report(refusal.message, refusal.code);
    return refusal.status;
  } catch (const std::bad_alloc&) {
    report("no_space: out of memory; give this process more, or work on less at a time",
           std::string(to_string(Code::no_space)));
    return ExitStatus::failed;
  }
}

// Errors of a URL do not name it, so that no password is printed. Names of what a store holds may
// be among the words.
void StoreCommand::report(const std::string& problem, const std::string& code) const {
  if (json_) {
    std::cout << json_text(failure_object(problem, code)) << "\n";
  } else {
    std::cerr << "threadkeep: ";
    std::istringstream lines(problem);
    for (std::string line; std::getline(lines, line);) std::cerr << printable(line) << "\n";
  }
}

Call StoreCommand::call() const {
  static const std::stop_token stop = stop_on_interrupt();
  return {.deadline = Deadline::after(choice_.timeout()), .stop = stop};
}

std::shared_ptr<Store> StoreCommand::open_store(FirstUse first_use) const {
  Environment environment = Environment::system();
  environment.first_use = first_use;
  return std::make_shared<Store>(Registry::builtin().open_for_tools(url(), environment));
}

std::string StoreCommand::store_name() const {
  return Url::parse(url()).redacted();
}

}  // namespace threadkeep::cli
