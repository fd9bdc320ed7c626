// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/words.hpp"

namespace threadkeep::migration {

std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char each : name) text += each == '"' ? "\"\"" : std::string(1, each);
  return text + '"';
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (at > 0) text += at + 1 == words.size() ? " and " : ", ";
    text += words[at];
  }
  return text;
}

std::string names_of(const std::string& table, const std::vector<std::string>& columns) {
  if (columns.size() == 1) return table + "." + columns.front();
  std::string list;
  for (const auto& column : columns) list += (list.empty() ? "" : ", ") + column;
  return table + ".(" + list + ")";
}

std::string counted(std::uint64_t number, const std::string& one) {
  return std::to_string(number) + " " + one + (number == 1 ? "" : "s");
}

}  // namespace threadkeep::migration
