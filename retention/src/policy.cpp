// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/retention/policy.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "threadkeep/backend_support.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::retention {

namespace {

// A hundred years: more is a slip of the pen.
constexpr std::chrono::seconds longest = std::chrono::days(36'525);
constexpr std::uint32_t most_kept = 1'000'000'000;
constexpr std::size_t longest_name = 100;
constexpr char no_duration[] =
    "is no duration; write a whole number and a unit, such as 90s, 15m, 12h, 7d or 4w, up to 100 "
    "years, or off";

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

bool is_off(std::string_view text) {
  return text == "0" || text == "off";
}

std::optional<std::uint64_t> seconds_of(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3'600;
    case 'd':
      return 86'400;
    case 'w':
      return 604'800;
    default:
      return {};
  }
}

std::optional<std::chrono::seconds> read_duration(std::string_view text) {
  if (is_off(text)) return std::chrono::seconds(0);
  if (text.empty()) return {};
  const auto unit = seconds_of(text.back());
  const auto number = whole_number(text.substr(0, text.size() - 1));
  if (!unit || !number || *number == 0) return {};
  if (*number > static_cast<std::uint64_t>(longest.count()) / *unit) return {};
  return std::chrono::seconds(static_cast<std::int64_t>(*number * *unit));
}

/// Reads the fields of one policy and notes what is wrong with them.
class Reader {
 public:
  Reader(std::size_t index, std::vector<Problem>& problems)
      : place_("policies[" + std::to_string(index) + "]."), problems_(problems) {}

  Policy read(const PolicyFields& fields) {
    Policy policy;
    policy.name = name(fields);
    if (fields.threads) policy.threads = pattern(*fields.threads);
    policy.metadata = metadata(fields);
    policy.idle = duration("idle", fields.idle);
    if (fields.expiry) policy.expiry = expiry(*fields.expiry);
    policy.age = duration("age", fields.age);
    if (fields.keep_last) policy.keep_last = keep_last(*fields.keep_last);
    if (!fields.idle && !fields.age && !fields.keep_last) policy.idle = default_idle;
    if (fields.expiry && policy.idle.count() == 0) problem("expiry", "is only for idle; set idle");
    return policy;
  }

 private:
  void problem(const std::string& field, const std::string& text) {
    problems_.push_back({place_ + field, text});
  }

  std::string name(const PolicyFields& fields) {
    if (!fields.name || fields.name->empty()) {
      problem("name", "is missing; name the policy, reports use it");
    } else if (fields.name->size() > longest_name) {
      problem("name", "is longer than 100 bytes; shorten it");
    }
    return fields.name.value_or("");
  }

  std::string pattern(const std::string& text) {
    if (text.empty()) problem("threads", "is empty; write '*' for all threads");
    return text;
  }

  std::vector<MetadataEquals> metadata(const PolicyFields& fields) {
    try {
      const MetadataFilter filter(fields.metadata);
    } catch (const Error& error) {
      problem("metadata", error.message());
    }
    return fields.metadata;
  }

  std::chrono::seconds duration(const std::string& field, const std::optional<std::string>& text) {
    if (!text) return std::chrono::seconds(0);
    const auto read = read_duration(*text);
    if (!read) {
      problem(field, no_duration);
    }
    return read.value_or(std::chrono::seconds(0));
  }

  Expiry expiry(const std::string& text) {
    if (text != "sliding" && text != "fixed") {
      problem("expiry", "is neither sliding nor fixed");
    }
    return text == "fixed" ? Expiry::fixed : Expiry::sliding;
  }

  std::uint32_t keep_last(const std::string& text) {
    if (is_off(text)) return 0;
    const auto number = whole_number(text);
    if (!number || *number > most_kept) {
      problem("keep_last", "is no number of checkpoints; write 1 or more, or off");
      return 0;
    }
    return static_cast<std::uint32_t>(*number);
  }

  const std::string place_;
  std::vector<Problem>& problems_;
};

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
  constexpr auto none = std::string_view::npos;
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = none;  // the last `*`, and where its run ends in the text
  std::size_t run = 0;
  while (in < text.size()) {
    const bool literal = pattern.substr(at, 3) == "[*]";
    if (!literal && at < pattern.size() && pattern[at] == '*') {
      star = at++;
      run = in;
    } else if (at < pattern.size() && (literal ? '*' : pattern[at]) == text[in]) {
      at += literal ? 3 : 1;
      ++in;
    } else if (star != none) {
      at = star + 1;
      in = ++run;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == none;
}

ReadPolicies read_policies(std::span<const PolicyFields> fields) {
  ReadPolicies result;
  std::set<std::string> names;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    result.policies.push_back(Reader(i, result.problems).read(fields[i]));
    const std::string& name = result.policies.back().name;
    if (!name.empty() && !names.insert(name).second) {
      result.problems.push_back({"policies[" + std::to_string(i) + "].name",
                                 "is that of another policy; give each a name of its own"});
    }
  }
  if (!result.problems.empty()) result.policies.clear();
  return result;
}

namespace {

void read_keep_time(const std::string& field, const std::optional<std::string>& text,
                    std::chrono::seconds shortest, std::chrono::seconds& time,
                    std::vector<Problem>& problems) {
  if (!text) return;
  const auto read = read_duration(*text);
  if (!read) {
    problems.push_back({field, no_duration});
  } else if (read->count() != 0 && *read < shortest) {
    problems.push_back(
        {field, "is shorter than " + format_duration(shortest) + "; write that or more, or off"});
  } else {
    time = *read;
  }
}

}  // namespace

ReadKeepTimes read_keep_times(const KeepFields& fields) {
  ReadKeepTimes read;
  read_keep_time("tombstones", fields.tombstones, shortest_tombstones, read.times.tombstones,
                 read.problems);
  read_keep_time("audit", fields.audit, shortest_audit, read.times.audit, read.problems);
  if (!read.problems.empty()) read.times = {};
  return read;
}

std::string format_duration(std::chrono::seconds duration) {
  if (duration.count() == 0) return "off";
  for (const char unit : {'d', 'h', 'm'}) {
    const auto seconds = static_cast<std::int64_t>(*seconds_of(unit));
    if (duration.count() % seconds == 0) return std::to_string(duration.count() / seconds) + unit;
  }
  return std::to_string(duration.count()) + "s";
}

}  // namespace threadkeep::retention
