// SPDX-License-Identifier: Apache-2.0
#include "json_value.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "threadkeep/error.hpp"

namespace threadkeep {

namespace {

using nlohmann::json;

constexpr double two_to_63 = 9223372036854775808.0;
constexpr double two_to_64 = 18446744073709551616.0;

bool is_negative(const json& integer) {
  return !integer.is_number_unsigned() && integer.get<std::int64_t>() < 0;
}

std::partial_ordering compare_integers(const json& a, const json& b) {
  if (is_negative(a) != is_negative(b)) return is_negative(b) <=> is_negative(a);
  if (is_negative(a)) return a.get<std::int64_t>() <=> b.get<std::int64_t>();
  return a.get<std::uint64_t>() <=> b.get<std::uint64_t>();
}

// The whole parts decide as integers; when they are equal, what the float has beyond it does.
template <class Integer>
std::partial_ordering compare_parts(Integer integer, double floating) {
  const double whole = std::trunc(floating);
  const auto part = static_cast<Integer>(whole);
  return integer != part ? std::partial_ordering(integer <=> part) : whole <=> floating;
}

std::partial_ordering compare_to_float(const json& integer, double floating) {
  if (is_negative(integer)) {
    if (floating >= 0) return std::partial_ordering::less;
    if (floating < -two_to_63) return std::partial_ordering::greater;
    return compare_parts(integer.get<std::int64_t>(), floating);
  }
  if (floating < 0) return std::partial_ordering::greater;
  if (floating >= two_to_64) return std::partial_ordering::less;
  return compare_parts(integer.get<std::uint64_t>(), floating);
}

std::partial_ordering compare_numbers(const json& a, const json& b) {
  if (a.is_number_float() && b.is_number_float()) return a.get<double>() <=> b.get<double>();
  if (b.is_number_float()) return compare_to_float(a, b.get<double>());
  if (a.is_number_float()) return 0 <=> compare_to_float(b, a.get<double>());
  return compare_integers(a, b);
}

// A float that is whole is spelled as the integer it equals.
std::string spell(const json& number) {
  if (!number.is_number_float()) return number.dump();
  const auto floating = number.get<double>();
  if (std::trunc(floating) != floating || floating < -two_to_63 || floating >= two_to_64) {
    return number.dump();
  }
  return floating < 0 ? std::to_string(static_cast<std::int64_t>(floating))
                      : std::to_string(static_cast<std::uint64_t>(floating));
}

}  // namespace

json parse_stored(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) throw Error(Code::corrupt, "stored JSON cannot be parsed");
  return value;
}

bool equal_values(const json& a, const json& b) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_array()) return std::equal(a.begin(), a.end(), b.begin(), equal_values);
  if (!a.is_object()) return a == b;
  return std::equal(a.items().begin(), a.items().end(), b.items().begin(),
                    [](const auto& x, const auto& y) {
                      return x.key() == y.key() && equal_values(x.value(), y.value());
                    });
}

std::partial_ordering compare_values(const json& a, const json& b) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (!a.is_string() || !b.is_string()) return std::partial_ordering::unordered;
  return a.get_ref<const std::string&>() <=> b.get_ref<const std::string&>();
}

void add_value(Hash& hash, const json& value) {
  if (value.is_object() || value.is_array()) {
    hash.add(value.is_object() ? "{" : "[");
    for (const auto& item : value.items()) {
      if (value.is_object()) hash.add_part(std::string_view(item.key()));
      add_value(hash, item.value());
    }
    hash.add("]");
  } else if (value.is_number()) {
    hash.add("n");
    hash.add_part(std::string_view(spell(value)));
  } else {
    hash.add_part(std::string_view(value.dump()));
  }
}

}  // namespace threadkeep
