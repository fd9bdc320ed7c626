// SPDX-License-Identifier: Apache-2.0
#include "table_kinds.hpp"

#include <algorithm>
#include <charconv>

namespace threadkeep::sqlite {

namespace {

using tables::Kind;

struct NamedKind {
  std::string_view name;
  Kind kind;
};

// Types that say more than their affinity does, or something else.
constexpr NamedKind named_kinds[] = {
    {"bool", Kind::boolean},
    {"boolean", Kind::boolean},
    {"tinyint(1)", Kind::boolean},
    {"bit(1)", Kind::boolean},
    {"json", Kind::json},
    {"jsonb", Kind::json},
    {"uuid", Kind::uuid},
    {"guid", Kind::uuid},
    {"uniqueidentifier", Kind::uuid},
    {"vector", Kind::vector},
    {"halfvec", Kind::vector},
    {"f32_blob", Kind::vector},
    {"float32_blob", Kind::vector},
    {"datetime", Kind::timestamp},
    {"datetime2", Kind::timestamp},
    {"smalldatetime", Kind::timestamp},
    {"timestamp", Kind::timestamp},
    {"timestamp without time zone", Kind::timestamp},
    {"timestamptz", Kind::timestamp_with_zone},
    {"timestamp with time zone", Kind::timestamp_with_zone},
    {"datetimeoffset", Kind::timestamp_with_zone},
    {"date", Kind::date},
    {"time", Kind::time},
    {"time without time zone", Kind::time},
    {"decimal", Kind::numeric},
    {"dec", Kind::numeric},
    {"numeric", Kind::numeric},
    {"number", Kind::numeric},
    {"money", Kind::numeric},
    {"smallmoney", Kind::numeric},
    {"serial", Kind::integer},
    {"bigserial", Kind::integer},
    {"smallserial", Kind::integer},
    {"bytea", Kind::bytes},
    {"binary", Kind::bytes},
    {"varbinary", Kind::bytes},
    {"image", Kind::bytes},
    {"string", Kind::text},
    {"enum", Kind::text},
    {"name", Kind::text},
    {"interval", Kind::other},
    {"point", Kind::other},
};

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "decimal" of "decimal(10,2)" and "timestamp with time zone" of "timestamp(3) with time zone".
std::string without_size(const std::string& type) {
  const auto open = type.find('(');
  if (open == std::string::npos) return std::string(trim(type));
  const auto close = type.find(')', open);
  std::string base(trim(std::string_view(type).substr(0, open)));
  if (close != std::string::npos) base += type.substr(close + 1);
  return std::string(trim(base));
}

const NamedKind* find_named(std::string_view name) {
  const auto* found = std::find_if(std::begin(named_kinds), std::end(named_kinds),
                                   [&](const NamedKind& each) { return each.name == name; });
  return found == std::end(named_kinds) ? nullptr : found;
}

Kind kind_of_affinity(std::string_view declared) {
  switch (affinity_of(declared)) {
    case Affinity::integer:
      return Kind::integer;
    case Affinity::text:
      return Kind::text;
    case Affinity::real:
      return Kind::floating;
    case Affinity::none:
      return trim(declared).empty() ? Kind::other : Kind::bytes;
    case Affinity::numeric:
      break;
  }
  return Kind::other;
}

// "[3]" of "float[3]", "(3)" of "vector(3)".
std::optional<int> number_in(std::string_view type, char open, char close) {
  const auto begin = type.find(open);
  if (begin == std::string_view::npos) return {};
  const auto text = trim(type.substr(begin + 1, type.find(close, begin) - begin - 1));
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0) return {};
  return number;
}

bool is_float_array(std::string_view type) {
  return type.starts_with("float") && type.ends_with("]") && number_in(type, '[', ']').has_value();
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// The order of the tests is SQLite's.
Affinity affinity_of(std::string_view declared, bool strict) {
  const std::string type = to_lower(declared);
  if (strict && type == "any") return Affinity::none;
  if (has(type, "int")) return Affinity::integer;
  if (has(type, "char") || has(type, "clob") || has(type, "text")) return Affinity::text;
  if (has(type, "blob") || type.empty()) return Affinity::none;
  if (has(type, "real") || has(type, "floa") || has(type, "doub")) return Affinity::real;
  return Affinity::numeric;
}

Kind kind_of(std::string_view declared) {
  const std::string type(trim(to_lower(declared)));
  if (const auto* named = find_named(type)) return named->kind;
  if (is_float_array(type)) return Kind::vector;
  if (type.ends_with("]")) return Kind::other;
  if (const auto* named = find_named(without_size(type))) return named->kind;
  return kind_of_affinity(declared);
}

std::optional<int> dimensions_of(std::string_view declared) {
  if (kind_of(declared) != Kind::vector) return {};
  const auto in_brackets = number_in(declared, '[', ']');
  return in_brackets ? in_brackets : number_in(declared, '(', ')');
}

}  // namespace threadkeep::sqlite
