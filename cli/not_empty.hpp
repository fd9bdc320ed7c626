// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace threadkeep::cli {

/// For arguments of which an empty one, as a script with an unset variable gives it, must not count
/// as none.
inline CLI::Validator not_empty() {
  return CLI::Validator(
      [](const std::string& word) { return word.empty() ? std::string("must not be empty") : ""; },
      "");
}

}  // namespace threadkeep::cli
