// SPDX-License-Identifier: Apache-2.0
#include "setup_command.hpp"

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <threadkeep/threadkeep.hpp>

#include "interrupt.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* description =
    "Brings a store to the form that this version of threadkeep uses.\n"
    "\n"
    "First use does what cannot disturb anybody. This command does the rest on Postgres: it adds\n"
    "what older versions of LangGraph's tables lack and builds indexes without blocking writers.\n"
    "It may be run at any time and again; one that was killed goes on where it stopped.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep setup postgresql://owner@db.example/agents\n"
    "  threadkeep setup 'postgresql://owner@db.example/agents?schema=tenant_a' --timeout 6h\n"
    "  threadkeep setup postgresql:///agents --print-sql | psql agents\n"
    "  threadkeep setup postgresql:///agents --print-sql --role app --grantee web | psql agents\n"
    "\n"
    "Exit status: 0 done, 1 the store refused or could not be reached, 2 wrong usage.";

const std::map<std::string, SetupRole>& roles() {
  static const std::map<std::string, SetupRole> all = {
      {"app", SetupRole::app}, {"cron", SetupRole::cron}, {"migrator", SetupRole::migrator}};
  return all;
}

const std::map<std::string, std::chrono::milliseconds::rep>& units() {
  static const std::map<std::string, std::chrono::milliseconds::rep> all = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  return all;
}

}  // namespace

SetupCommand::SetupCommand(CLI::App& app) : command_(app.add_subcommand("setup", description)) {
  command_->add_option("URL", url_, "The store, such as postgresql://host/database?schema=name")
      ->envname("THREADKEEP_URL")
      ->required();
  command_
      ->add_option("--timeout", timeout_,
                   "Time for all of it, such as 90s, 30m, 6h; 1h if not given")
      ->transform(CLI::AsNumberWithUnit(units(), CLI::AsNumberWithUnit::UNIT_REQUIRED, "DURATION"));
  auto* json = command_->add_flag("--json", json_, "Report as one JSON object");
  auto* print =
      command_->add_flag("--print-sql", print_sql_, "Print a script for psql and do not connect");
  json->excludes(print);
  auto* role =
      command_
          ->add_option("--role", role_, "Print the rights of a role instead: app, cron or migrator")
          ->check(CLI::IsMember(roles()))
          ->needs(print);
  auto* grantee =
      command_->add_option("--grantee", grantee_, "The role of the server that gets the rights");
  role->needs(grantee);
  grantee->needs(role);
  command_->footer(examples);
}

ExitStatus SetupCommand::run() const {
  try {
    if (print_sql_) {
      print_script();
    } else {
      set_up();
    }
    return ExitStatus::done;
  } catch (const Error& error) {
    report(error.what(), std::string(to_string(error.code())));
    return error.code() == Code::invalid_argument ? ExitStatus::usage : ExitStatus::failed;
  }
}

void SetupCommand::print_script() const {
  const auto store = open(url_);
  const SetupRole role = role_.empty() ? SetupRole::owner : roles().at(role_);
  std::cout << store->setup_script(role, grantee_) << std::flush;
}

void SetupCommand::set_up() const {
  const Call call{.deadline = Deadline::after(std::chrono::milliseconds(timeout_)),
                  .stop = stop_on_interrupt()};
  const auto store = open(url_);
  store->setup(call);
  const Health health = store->ping(call);
  report(Url::parse(url_).redacted() + " is set up: " + health.detail, "");
}

// Errors of a URL do not name it, so that no password is printed.
void SetupCommand::report(const std::string& text, const std::string& code) const {
  if (json_) {
    nlohmann::json object = {{"ok", code.empty()}, {"message", text}};
    if (!code.empty()) object["code"] = code;
    std::cout << object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    (code.empty() ? std::cout : std::cerr) << (code.empty() ? "" : "threadkeep: ") << text << "\n";
  }
}

}  // namespace threadkeep::cli
