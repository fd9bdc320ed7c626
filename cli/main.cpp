// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "completion.hpp"
#include "description.hpp"
#include "doctor_command.hpp"
#include "exit_status.hpp"
#include "help_format.hpp"
#include "messages_list.hpp"
#include "migrate_command.hpp"
#include "migrate_rollback.hpp"
#include "retention_expire.hpp"
#include "retention_marks.hpp"
#include "retention_policies.hpp"
#include "retention_reports.hpp"
#include "retention_schedule.hpp"
#include "retention_sweep.hpp"
#include "set_aside.hpp"
#include "setup_command.hpp"
#include "state_get.hpp"
#include "stats_command.hpp"
#include "terminal.hpp"
#include "threads_archive.hpp"
#include "threads_change.hpp"
#include "threads_diff.hpp"
#include "threads_history.hpp"
#include "threads_list.hpp"
#include "threads_show.hpp"

namespace {

namespace cli = threadkeep::cli;
using Commands = std::vector<std::unique_ptr<cli::StoreCommand>>;

void add_retention(CLI::App& app, Commands& all) {
  auto* retention = app.add_subcommand("retention", "Deletes old threads by policies.");
  retention->require_subcommand(1);
  all.push_back(std::make_unique<cli::RetentionApply>(*retention));
  all.push_back(std::make_unique<cli::RetentionPreview>(*retention));
  all.push_back(std::make_unique<cli::RetentionSweep>(*retention));
  all.push_back(std::make_unique<cli::RetentionStatus>(*retention));
  all.push_back(std::make_unique<cli::RetentionAudit>(*retention));
  all.push_back(std::make_unique<cli::RetentionSchedule>(*retention));
  all.push_back(std::make_unique<cli::RetentionUnschedule>(*retention));
  for (const auto kind : {cli::RetentionMark::Kind::pin, cli::RetentionMark::Kind::unpin,
                          cli::RetentionMark::Kind::hold, cli::RetentionMark::Kind::release}) {
    all.push_back(std::make_unique<cli::RetentionMark>(*retention, kind));
  }
  all.push_back(std::make_unique<cli::RetentionExpire>(*retention));
  all.push_back(std::make_unique<cli::RetentionInstall>(*retention));
}

Commands make_commands(CLI::App& app) {
  Commands all;
  all.push_back(std::make_unique<cli::SetupCommand>(app));
  all.push_back(std::make_unique<cli::DoctorCommand>(app));
  all.push_back(std::make_unique<cli::StatsCommand>(app));
  auto* threads = app.add_subcommand(
      "threads", "Looks at threads, compares, copies, deletes, exports and imports them.");
  threads->require_subcommand(1);
  all.push_back(std::make_unique<cli::ThreadsList>(*threads));
  all.push_back(std::make_unique<cli::ThreadsShow>(*threads));
  all.push_back(std::make_unique<cli::ThreadsHistory>(*threads));
  all.push_back(std::make_unique<cli::ThreadsDiff>(*threads));
  all.push_back(std::make_unique<cli::ThreadsCopy>(*threads));
  all.push_back(std::make_unique<cli::ThreadsDelete>(*threads));
  all.push_back(std::make_unique<cli::ThreadsExport>(*threads));
  all.push_back(std::make_unique<cli::ThreadsImport>(*threads));
  auto* messages = app.add_subcommand("messages", "Looks at the messages of threads.");
  messages->require_subcommand(1);
  all.push_back(std::make_unique<cli::MessagesList>(*messages));
  auto* state = app.add_subcommand("state", "Looks at the state of threads and of names.");
  state->require_subcommand(1);
  all.push_back(std::make_unique<cli::StateGet>(*state));
  auto* aside =
      app.add_subcommand("set-aside", "Looks after what a store refused of a fallback's journal.");
  aside->require_subcommand(1);
  all.push_back(std::make_unique<cli::SetAsideList>(*aside));
  all.push_back(std::make_unique<cli::SetAsideExport>(*aside));
  all.push_back(std::make_unique<cli::SetAsideDrop>(*aside));
  add_retention(app, all);
  auto migrate = std::make_unique<cli::MigrateTier>(app);
  // A command below another is chosen together with it, and comes first.
  all.push_back(std::make_unique<cli::MigrateTierVerify>(migrate->app()));
  all.push_back(std::make_unique<cli::MigrateTierRollback>(migrate->app()));
  all.push_back(std::move(migrate));
  return all;
}

// What describes the program and needs no store.
class Documents {
 public:
  explicit Documents(CLI::App& app) : app_(app) {
    completion_ =
        app.add_subcommand("completion",
                           "Prints a script by which a shell completes arguments of threadkeep.\n"
                           "\n"
                           "An installation has these scripts where the shells look for them.");
    completion_->footer(
        "Example:\n"
        "  source <(threadkeep completion bash)");
    completion_->add_option("SHELL", shell_, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""))
        ->type_name("bash|zsh|fish");
    manual_ = app.add_subcommand("manual", "Prints the manual page of threadkeep for man(1).");
    manual_->footer(
        "Example:\n"
        "  threadkeep manual | man -l -");
  }

  bool chosen() const { return completion_->parsed() || manual_->parsed(); }

  cli::ExitStatus print() const {
    const auto commands = cli::describe(app_);
    if (manual_->parsed()) cli::print_manual(std::cout, commands, THREADKEEP_VERSION);
    if (shell_ == "bash") cli::print_bash_completion(std::cout, commands);
    if (shell_ == "zsh") cli::print_zsh_completion(std::cout, commands);
    if (shell_ == "fish") cli::print_fish_completion(std::cout, commands);
    return cli::ExitStatus::done;
  }

 private:
  CLI::App& app_;
  CLI::App* completion_;
  CLI::App* manual_;
  std::string shell_;
};

cli::ExitStatus run(int argc, char** argv) {
  CLI::App app("Looks after stores of agent threads. See `threadkeep COMMAND --help`.",
               "threadkeep");
  app.formatter(std::make_shared<cli::HelpFormat>());
  app.set_version_flag("--version", "threadkeep " THREADKEEP_VERSION);
  app.require_subcommand(1);
  const Commands commands = make_commands(app);
  const Documents documents(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version come this way too, with status 0.
    return app.exit(error) == 0 ? cli::ExitStatus::done : cli::ExitStatus::usage;
  }
  if (documents.chosen()) return documents.print();
  const auto chosen = std::find_if(commands.begin(), commands.end(),
                                   [](const auto& command) { return command->chosen(); });
  return (*chosen)->run();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    cli::prepare_terminal();
    return static_cast<int>(run(argc, argv));
  } catch (const std::exception& error) {
    std::cerr << "threadkeep: " << error.what() << "\n";
    return static_cast<int>(cli::ExitStatus::failed);
  }
}
