// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace threadkeep::cli {

/// Help as CLI11 prints it, but a list of commands has the first line of each only.
class HelpFormat final : public CLI::Formatter {
 public:
  std::string make_subcommand(const CLI::App* command) const override;
};

}  // namespace threadkeep::cli
