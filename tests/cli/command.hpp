// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "program.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep {

using Arguments = std::vector<std::string>;

// The exit statuses that docs/operation/cli.md promises.
constexpr int done = 0;
constexpr int failed = 1;
constexpr int usage = 2;

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Runs the command as a script does, without a terminal; what it printed.
inline std::string run(Arguments arguments, int status) {
  arguments.insert(arguments.begin(), THREADKEEP_COMMAND);
  return testing::run_program(arguments, status);
}

/// The lines of all blocks in a language on a page of the documentation.
inline std::vector<std::string> lines_of(const char* page, const std::string& language) {
  std::vector<std::string> lines;
  std::ifstream file(page);
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = line == "```" + language;
    } else if (inside) {
      lines.push_back(line);
    }
  }
  return lines;
}

/// A store of its own for each test.
class Cli : public ::testing::Test {
 protected:
  Cli() {
    unsetenv("THREADKEEP_URL");
    unsetenv("THREADKEEP_CONFIG");
  }

  testing::TemporaryDirectory directory;
  const std::string url = "sqlite:" + (directory.path() / "threads.db").string();
};

}  // namespace threadkeep
