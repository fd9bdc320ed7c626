// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/kinds.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <system_error>

namespace threadkeep::migration {

namespace {

using tables::Column;
using tables::Kind;

struct Rule {
  Kind source;
  Kind target;
  Fit fit;
  std::string_view note;
};

// What is not here is refused; a kind is the same as itself.
constexpr std::array rules = {
    Rule{Kind::boolean, Kind::text, Fit::converts, "t and f"},
    Rule{Kind::integer, Kind::boolean, Fit::converts, "numbers but 0 and 1 are rejected"},
    Rule{Kind::integer, Kind::floating, Fit::lossy, "digits after the 15th"},
    Rule{Kind::integer, Kind::numeric, Fit::converts, ""},
    Rule{Kind::integer, Kind::text, Fit::converts, ""},
    Rule{Kind::floating, Kind::numeric, Fit::converts, ""},
    Rule{Kind::floating, Kind::text, Fit::converts, ""},
    Rule{Kind::numeric, Kind::integer, Fit::converts,
         "what is not written as a whole number is rejected"},
    Rule{Kind::numeric, Kind::floating, Fit::lossy, "digits after the 15th"},
    Rule{Kind::numeric, Kind::text, Fit::converts, ""},
    Rule{Kind::text, Kind::boolean, Fit::converts, "text that is none is rejected"},
    Rule{Kind::text, Kind::integer, Fit::converts, "text that is none is rejected"},
    Rule{Kind::text, Kind::floating, Fit::converts, "text that is none is rejected"},
    Rule{Kind::text, Kind::numeric, Fit::converts, "text that is none is rejected"},
    Rule{Kind::text, Kind::json, Fit::converts, "text that is none is rejected"},
    Rule{Kind::text, Kind::timestamp, Fit::converts,
         "text that is none is rejected; Postgres drops offsets such as +05:00"},
    Rule{Kind::text, Kind::timestamp_with_zone, Fit::converts,
         "text that is none is rejected; UTC where it names no zone"},
    Rule{Kind::text, Kind::date, Fit::converts, "text that is none is rejected"},
    Rule{Kind::text, Kind::time, Fit::converts, "text that is none is rejected"},
    Rule{Kind::text, Kind::uuid, Fit::converts, "text that is none is rejected"},
    Rule{Kind::text, Kind::vector, Fit::converts, "text that is none is rejected"},
    Rule{Kind::text, Kind::other, Fit::converts, "text that is none is rejected"},
    Rule{Kind::json, Kind::text, Fit::converts, ""},
    Rule{Kind::json, Kind::vector, Fit::converts, "what is no list of numbers is rejected"},
    Rule{Kind::timestamp, Kind::text, Fit::converts, ""},
    Rule{Kind::timestamp, Kind::timestamp_with_zone, Fit::converts, "taken for UTC"},
    Rule{Kind::timestamp, Kind::date, Fit::lossy, "the time of the day"},
    Rule{Kind::timestamp_with_zone, Kind::text, Fit::converts, ""},
    Rule{Kind::timestamp_with_zone, Kind::timestamp, Fit::converts, "in UTC"},
    Rule{Kind::timestamp_with_zone, Kind::date, Fit::lossy, "the time of the day"},
    Rule{Kind::date, Kind::text, Fit::converts, ""},
    Rule{Kind::date, Kind::timestamp, Fit::converts, "midnight"},
    Rule{Kind::date, Kind::timestamp_with_zone, Fit::converts, "midnight in UTC"},
    Rule{Kind::time, Kind::text, Fit::converts, ""},
    Rule{Kind::uuid, Kind::text, Fit::converts, ""},
    Rule{Kind::vector, Kind::text, Fit::converts, ""},
    Rule{Kind::vector, Kind::json, Fit::converts, "a list of numbers"},
    Rule{Kind::other, Kind::text, Fit::converts, "as the source prints it"},
};

// "vector" of "vector(3)"
std::string_view name_of_type(std::string_view type) {
  return type.substr(0, type.find('('));
}

Conversion between_vectors(const Column& source, const Column& target) {
  if (source.dimensions && target.dimensions && source.dimensions != target.dimensions) {
    return {Fit::refused, "the numbers of dimensions differ"};
  }
  if (name_of_type(source.type) != name_of_type(target.type)) {
    return name_of_type(target.type) == "halfvec" ? Conversion{Fit::lossy, "half of the bits"}
                                                  : Conversion{Fit::converts, ""};
  }
  if (!source.dimensions && target.dimensions) {
    return {Fit::converts, "vectors of other dimensions are rejected"};
  }
  return {};
}

// 12 and 4 of "numeric(12,4)", as Postgres writes it.
struct Modifiers {
  std::optional<int> first;
  std::optional<int> second;
};

Modifiers modifiers_of(std::string_view type) {
  Modifiers found;
  const auto open = type.find('(');
  if (open == std::string_view::npos) return found;
  const char* end = type.data() + type.size();
  int number = 0;
  const auto first = std::from_chars(type.data() + open + 1, end, number);
  if (first.ec != std::errc()) return found;
  found.first = number;
  if (first.ptr == end || *first.ptr != ',') return found;
  if (std::from_chars(first.ptr + 1, end, number).ec == std::errc()) found.second = number;
  return found;
}

constexpr int most_digits_of_a_second = 6;

// A column of SQLite may have any text, and Postgres passes over what it says after the time.
bool loses_offsets(const Column& source, const Column& target) {
  constexpr std::string_view without_zone = "without time zone";
  return (source.kind == Kind::text || source.kind == Kind::timestamp) &&
         target.kind == Kind::timestamp && target.type.ends_with(without_zone) &&
         !source.type.ends_with(without_zone);
}

// A narrower type of the same kind takes a part of the values without a word.
Conversion within_kind(const Column& source, const Column& target) {
  const auto ours = modifiers_of(source.type);
  const auto theirs = modifiers_of(target.type);
  switch (target.kind) {
    case Kind::numeric: {
      const int kept = theirs.second.value_or(0);
      if (!theirs.first || (ours.first && ours.second.value_or(0) <= kept)) return {};
      return {Fit::lossy, "digits of fractions that the target has no place for"};
    }
    case Kind::timestamp:
    case Kind::timestamp_with_zone:
    case Kind::time: {
      const int kept = theirs.first.value_or(most_digits_of_a_second);
      if (ours.first.value_or(most_digits_of_a_second) <= kept) return {};
      return {Fit::lossy, "parts of a second that the target has no place for"};
    }
    case Kind::floating:
      if (source.type != "double precision" || target.type != "real") return {};
      return {Fit::lossy, "digits after the 6th"};
    case Kind::text:
      if (!theirs.first || (ours.first && *ours.first <= *theirs.first)) return {};
      return {Fit::converts, "longer text is rejected; blanks at its end are cut"};
    default:
      return {};
  }
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
  switch (kind) {
    case Kind::boolean:
      return "boolean";
    case Kind::integer:
      return "integer";
    case Kind::floating:
      return "floating";
    case Kind::numeric:
      return "numeric";
    case Kind::text:
      return "text";
    case Kind::json:
      return "json";
    case Kind::bytes:
      return "bytes";
    case Kind::timestamp:
      return "timestamp";
    case Kind::timestamp_with_zone:
      return "timestamp with zone";
    case Kind::date:
      return "date";
    case Kind::time:
      return "time";
    case Kind::uuid:
      return "uuid";
    case Kind::vector:
      return "vector";
    case Kind::other:
      break;
  }
  return "other";
}

std::string_view to_string(Fit fit) noexcept {
  switch (fit) {
    case Fit::same:
      return "same";
    case Fit::converts:
      return "converts";
    case Fit::lossy:
      return "lossy";
    case Fit::refused:
      break;
  }
  return "refused";
}

const std::vector<Kind>& all_kinds() {
  static const std::vector<Kind> all = {Kind::boolean, Kind::integer,   Kind::floating,
                                        Kind::numeric, Kind::text,      Kind::json,
                                        Kind::bytes,   Kind::timestamp, Kind::timestamp_with_zone,
                                        Kind::date,    Kind::time,      Kind::uuid,
                                        Kind::vector,  Kind::other};
  return all;
}

Conversion conversion(Kind source, Kind target) {
  if (source == target) return {};
  for (const Rule& rule : rules) {
    if (rule.source == source && rule.target == target) return {rule.fit, rule.note};
  }
  return {Fit::refused, ""};
}

Conversion conversion(const Column& source, const Column& target) {
  if (source.kind == Kind::vector && target.kind == Kind::vector) {
    return between_vectors(source, target);
  }
  if (source.kind == Kind::other && target.kind == Kind::other && source.type != target.type) {
    return {Fit::converts, "what the target's type cannot read is rejected"};
  }
  if (loses_offsets(source, target)) {
    return {Fit::lossy, "offsets such as +05:00, in texts that have them"};
  }
  return source.kind == target.kind ? within_kind(source, target)
                                    : conversion(source.kind, target.kind);
}

}  // namespace threadkeep::migration
