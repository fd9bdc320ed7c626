// SPDX-License-Identifier: Apache-2.0
#include "setup_command.hpp"

#include <iostream>
#include <map>

#include "json_output.hpp"

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
    "  threadkeep setup --url postgresql://owner@db.example/agents\n"
    "  threadkeep setup --url 'postgresql://owner@db.example/agents?schema=tenant_a' --timeout 6h\n"
    "  threadkeep setup --url postgresql:///agents --print-sql | psql agents\n"
    "  threadkeep setup --url postgresql:///agents --print-sql --role app --grantee web |\n"
    "    psql agents";

const std::map<std::string, SetupRole>& roles() {
  static const std::map<std::string, SetupRole> all = {
      {"app", SetupRole::app}, {"cron", SetupRole::cron}, {"migrator", SetupRole::migrator}};
  return all;
}

}  // namespace

SetupCommand::SetupCommand(CLI::App& app) : StoreCommand(app, "setup", description, examples) {
  default_timeout(std::chrono::hours(1));
  auto* print =
      options().add_flag("--print-sql", print_sql_, "Print a script for psql and do not connect");
  json_flag()->excludes(print);
  auto* role =
      options()
          .add_option("--role", role_, "Print the rights of a role instead: app, cron or migrator")
          ->check(CLI::IsMember(roles()).description(""))
          ->type_name("app|cron|migrator")
          ->needs(print);
  auto* grantee =
      options().add_option("--grantee", grantee_, "The role of the server that gets the rights");
  role->needs(grantee);
  grantee->needs(role);
}

ExitStatus SetupCommand::execute() {
  if (print_sql_) {
    print_script();
  } else {
    set_up();
  }
  return ExitStatus::done;
}

void SetupCommand::print_script() const {
  const SetupRole role = role_.empty() ? SetupRole::owner : roles().at(role_);
  std::cout << open_store()->setup_script(role, grantee_) << std::flush;
}

void SetupCommand::set_up() const {
  const Call limits = call();
  const auto store = open_store();
  store->setup(limits);
  const Health health = store->ping(limits);
  if (!health.ok) {
    throw Refusal{ExitStatus::failed, "unusable",
                  store_name() + " is set up and cannot be used: " + health.detail};
  }
  const std::string text = store_name() + " is set up: " + health.detail;
  if (json()) {
    std::cout << json_text({{"ok", true}, {"message", text}}) << "\n";
  } else {
    std::cout << text << "\n";
  }
}

}  // namespace threadkeep::cli
