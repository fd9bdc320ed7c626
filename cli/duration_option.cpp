// SPDX-License-Identifier: Apache-2.0
#include "duration_option.hpp"

#include <map>

namespace threadkeep::cli {

CLI::Option* add_duration(CLI::App& command, const std::string& name,
                          std::chrono::milliseconds::rep& milliseconds, const std::string& help) {
  static const std::map<std::string, std::chrono::milliseconds::rep> units = {
      {"ms", 1},        {"s", 1'000},      {"m", 60'000},
      {"h", 3'600'000}, {"d", 86'400'000}, {"w", 604'800'000}};
  return command.add_option(name, milliseconds, help)
      ->transform(CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::UNIT_REQUIRED, "DURATION"));
}

}  // namespace threadkeep::cli
