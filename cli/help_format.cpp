// SPDX-License-Identifier: Apache-2.0
#include "help_format.hpp"

#include <iomanip>
#include <sstream>

namespace threadkeep::cli {

std::string HelpFormat::make_subcommand(const CLI::App* command) const {
  const std::string whole = command->get_description();
  std::ostringstream text;
  text << std::left << std::setw(static_cast<int>(get_column_width())) << "  " + command->get_name()
       << whole.substr(0, whole.find('\n')) << "\n";
  return text.str();
}

}  // namespace threadkeep::cli
