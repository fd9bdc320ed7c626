// SPDX-License-Identifier: Apache-2.0
#include "config/reading.hpp"

#include <algorithm>
#include <threadkeep/threadkeep.hpp>

#include "config/substitution.hpp"

namespace threadkeep::ops {

namespace {

// A key that looks like nothing that anybody would name may be a value in the wrong place.
bool may_be_shown(const std::string& key) {
  constexpr std::size_t longest = 40;
  return !key.empty() && key.size() <= longest && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

std::string joined(const std::vector<std::string>& texts, const std::string& separator) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : separator) + text;
  return all;
}

// An URL is refused in words that do not repeat it.
std::optional<std::string> refusal_of(const std::string& url) {
  try {
    const auto scheme = Url::parse(url).scheme();
    const auto known = Registry::builtin().schemes();
    if (std::find(known.begin(), known.end(), scheme) != known.end()) return {};
    return "must begin with one of: " + joined(known, ", ");
  } catch (const Error& error) {
    return error.message();
  }
}

}  // namespace

Reading::Members Reading::members(const Member& map, const std::string& what,
                                  const std::vector<std::string>& known) {
  Members found;
  if (!map.value.IsMap()) {
    problem(map.place(), what + " must be a map of keys and values");
    return found;
  }
  for (const auto& member : map.value) {
    const YAML::Node& key = member.first;
    const std::string name = key.IsScalar() ? key.Scalar() : std::string();
    const bool is_known =
        known.empty() || std::find(known.begin(), known.end(), name) != known.end();
    if (!is_known || !may_be_shown(name)) {
      const std::string which = may_be_shown(name) ? "unknown key '" + name + "'" : "this key";
      problem(key.Mark(), which + (known.empty() ? " must be of letters, digits, - and _"
                                                 : "; known are: " + joined(known, ", ")));
    } else if (!found.emplace(name, Member{key.Mark(), member.second}).second) {
      problem(key.Mark(), "the key '" + name + "' is there twice");
    }
  }
  return found;
}

std::optional<std::string> Reading::text(const Member& member, const std::string& key) {
  const YAML::Node& node = member.value;
  if (node.IsMap() || node.IsSequence()) {
    problem(node.Mark(), key + " must be one value");
    return {};
  }
  std::vector<std::string> problems;
  std::string value = substitute(node.IsScalar() ? node.Scalar() : "", variables_, problems);
  if (problems.empty() && value.empty()) problems.push_back("needs a value");
  for (const auto& text : problems) problem(member.place(), key + ": " + text);
  if (!problems.empty()) return {};
  return value;
}

std::optional<std::string> Reading::url(const Member& member) {
  auto value = text(member, "url");
  const auto refused = value ? refusal_of(*value) : std::nullopt;
  if (!refused) return value;
  problem(member.place(), "url: " + *refused);
  return {};
}

// The rules of durations are those of URLs.
std::optional<std::chrono::milliseconds> Reading::duration(const Member& member,
                                                           const std::string& key) {
  const auto value = text(member, key);
  if (!value) return {};
  const bool is_plain = std::all_of(value->begin(), value->end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
  const auto duration = is_plain ? Url::parse("x:?d=" + *value).take_duration("d") : std::nullopt;
  if (!duration) problem(member.place(), key + " must be a duration such as 500ms, 90s, 30m or 6h");
  return duration;
}

void Reading::problem(const YAML::Mark& place, const std::string& text) {
  problems_.push_back({place, text});
}

void Reading::finish() const {
  if (problems_.empty()) return;
  auto sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  constexpr std::size_t most_lines = 100;
  std::vector<std::string> lines;
  for (const auto& [place, text] : sorted) {
    if (lines.size() == most_lines) {
      lines.push_back(name_ + ": and " + std::to_string(sorted.size() - most_lines) + " more");
      break;
    }
    const std::string where = place.is_null() ? ""
                                              : ":" + std::to_string(place.line + 1) + ":" +
                                                    std::to_string(place.column + 1);
    lines.push_back(name_ + where + ": " + text);
  }
  throw Error(Code::invalid_argument, joined(lines, "\n"), {}, "config");
}

}  // namespace threadkeep::ops
