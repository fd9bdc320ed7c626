// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>

#include "exit_status.hpp"
#include "setup_command.hpp"

namespace {

using threadkeep::cli::ExitStatus;

ExitStatus run(int argc, char** argv) {
  CLI::App app("Looks after stores of agent threads. See `threadkeep COMMAND --help`.",
               "threadkeep");
  app.set_version_flag("--version", "threadkeep " THREADKEEP_VERSION);
  app.require_subcommand(1);
  const threadkeep::cli::SetupCommand setup(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version come this way too, with status 0.
    return app.exit(error) == 0 ? ExitStatus::done : ExitStatus::usage;
  }
  return setup.run();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return static_cast<int>(run(argc, argv));
  } catch (const std::exception& error) {
    std::cerr << "threadkeep: " << error.what() << "\n";
    return static_cast<int>(ExitStatus::failed);
  }
}
