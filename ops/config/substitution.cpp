// SPDX-License-Identifier: Apache-2.0
#include "config/substitution.hpp"

#include <algorithm>

#include "config/text_file.hpp"

namespace threadkeep::ops {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// POSIX: letters, digits and underscores, no digit first.
bool is_name(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// What stands between `${` and `}`.
std::string value_of(std::string_view inside, const Variables& variables,
                     std::vector<std::string>& problems) {
  const auto mark = inside.find(":-");
  const std::string name(inside.substr(0, mark));
  if (!is_name(name)) {
    problems.emplace_back("a variable is written ${NAME} or ${NAME:-default}, and a $ alone $$");
    return {};
  }
  auto value = variables(name);
  if (mark != std::string_view::npos) {
    return value && !value->empty() ? *value : std::string(inside.substr(mark + 2));
  }
  if (!value) {
    problems.push_back("the variable " + name + " is not set; write ${" + name +
                       ":-default} where it need not be");
  }
  return value.value_or("");
}

}  // namespace

std::string substitute(std::string_view text, const Variables& variables,
                       std::vector<std::string>& problems) {
  std::string result;
  while (!text.empty()) {
    // A variable may be long and stand there many times.
    if (result.size() > most_text_bytes) {
      problems.emplace_back("it is longer than 1 MiB with its variables filled in");
      return {};
    }
    const auto dollar = std::min(text.find('$'), text.size());
    result += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.starts_with("${")) {
      const auto end = text.find('}');
      if (end == std::string_view::npos) {
        problems.emplace_back("a ${ has no }");
        return result;
      }
      result += value_of(text.substr(2, end - 2), variables, problems);
      text.remove_prefix(end + 1);
    } else if (!text.empty()) {
      result += '$';
      text.remove_prefix(text.starts_with("$$") ? 2 : 1);
    }
  }
  return result;
}

}  // namespace threadkeep::ops
