// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace threadkeep::cli {

/// An option or a word of a command, as its help describes it.
struct ArgumentDescription {
  std::string name;                 ///< "--url", "THREAD"
  std::string text;                 ///< One line.
  bool takes_value = false;         ///< Something follows the name.
  bool is_file = false;             ///< ... the path of a file.
  std::vector<std::string> values;  ///< ... one of these, where they are known.
};

/// A command as its help describes it.
struct CommandDescription {
  std::string words;  ///< "threads list", and "" for the program.
  std::string brief;  ///< The first line of `text`.
  std::string text;
  std::string examples;
  std::vector<std::string> commands;  ///< Below it: "list".
  std::vector<ArgumentDescription> options;
  std::vector<ArgumentDescription> positionals;
};

/// The program and all of its commands, each before those below it.
std::vector<CommandDescription> describe(const CLI::App& program);

}  // namespace threadkeep::cli
