// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "doctor_command.hpp"
#include "exit_status.hpp"
#include "help_format.hpp"
#include "setup_command.hpp"
#include "terminal.hpp"
#include "threads_archive.hpp"
#include "threads_change.hpp"
#include "threads_history.hpp"
#include "threads_list.hpp"
#include "threads_show.hpp"

namespace {

namespace cli = threadkeep::cli;
using Commands = std::vector<std::unique_ptr<cli::StoreCommand>>;

Commands make_commands(CLI::App& app) {
  Commands all;
  all.push_back(std::make_unique<cli::SetupCommand>(app));
  all.push_back(std::make_unique<cli::DoctorCommand>(app));
  auto* threads =
      app.add_subcommand("threads", "Looks at threads, copies, deletes, exports and imports them.");
  threads->require_subcommand(1);
  all.push_back(std::make_unique<cli::ThreadsList>(*threads));
  all.push_back(std::make_unique<cli::ThreadsShow>(*threads));
  all.push_back(std::make_unique<cli::ThreadsHistory>(*threads));
  all.push_back(std::make_unique<cli::ThreadsCopy>(*threads));
  all.push_back(std::make_unique<cli::ThreadsDelete>(*threads));
  all.push_back(std::make_unique<cli::ThreadsExport>(*threads));
  all.push_back(std::make_unique<cli::ThreadsImport>(*threads));
  return all;
}

cli::ExitStatus run(int argc, char** argv) {
  CLI::App app("Looks after stores of agent threads. See `threadkeep COMMAND --help`.",
               "threadkeep");
  app.formatter(std::make_shared<cli::HelpFormat>());
  app.set_version_flag("--version", "threadkeep " THREADKEEP_VERSION);
  app.require_subcommand(1);
  const Commands commands = make_commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version come this way too, with status 0.
    return app.exit(error) == 0 ? cli::ExitStatus::done : cli::ExitStatus::usage;
  }
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
