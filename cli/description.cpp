// SPDX-License-Identifier: Apache-2.0
#include "description.hpp"

#include <sstream>

namespace threadkeep::cli {

namespace {

// "app|cron|migrator" is the type of an option with these values.
std::vector<std::string> values_of(const std::string& type) {
  std::vector<std::string> values;
  if (type.find('|') == std::string::npos) return values;
  std::istringstream text(type);
  for (std::string value; std::getline(text, value, '|');) values.push_back(value);
  return values;
}

ArgumentDescription describe(const CLI::Option& option) {
  ArgumentDescription result;
  result.name =
      option.get_positional() ? option.get_name(true) : "--" + option.get_lnames().front();
  result.text = option.get_description();
  result.takes_value = option.get_items_expected_max() > 0;
  const std::string type = result.takes_value ? option.get_type_name() : "";
  result.is_file = type == "FILE";
  result.values = values_of(type);
  return result;
}

void describe(const CLI::App& command, const std::string& words,
              std::vector<CommandDescription>& all) {
  CommandDescription result;
  result.words = words;
  result.text = command.get_description();
  result.brief = result.text.substr(0, result.text.find('\n'));
  result.examples = command.get_footer();
  for (const CLI::Option* option : command.get_options({})) {
    (option->get_positional() ? result.positionals : result.options).push_back(describe(*option));
  }
  const auto below = command.get_subcommands({});
  for (const CLI::App* each : below) result.commands.push_back(each->get_name());
  all.push_back(std::move(result));
  for (const CLI::App* each : below) {
    describe(*each, words + (words.empty() ? "" : " ") + each->get_name(), all);
  }
}

}  // namespace

std::vector<CommandDescription> describe(const CLI::App& program) {
  std::vector<CommandDescription> all;
  describe(program, "", all);
  return all;
}

}  // namespace threadkeep::cli
