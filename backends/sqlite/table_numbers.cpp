// SPDX-License-Identifier: Apache-2.0
#include "table_numbers.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace threadkeep::sqlite {

namespace {

constexpr std::string_view infinity = "Infinity";

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

bool take(std::string_view& text, std::string_view any) {
  if (text.empty() || any.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// The digits without zeros around them, and the place of the point after the first of them.
struct Decimal {
  bool negative = false;
  std::string digits;  // Empty for zero.
  std::int64_t exponent = 0;

  bool operator==(const Decimal&) const = default;
};

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal decimal;
  decimal.negative = text.starts_with('-');
  take(text, "+-");
  const std::string_view whole = take_digits(text);
  const std::string_view fraction = take(text, ".") ? take_digits(text) : std::string_view();
  if (whole.empty() && fraction.empty()) return {};
  if (take(text, "eE")) {
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto exponent = to_integer(text);
    if (!exponent) return {};
    decimal.exponent = *exponent;
    text = {};
  }
  if (!text.empty()) return {};
  decimal.exponent += static_cast<std::int64_t>(whole.size());
  decimal.digits.append(whole).append(fraction);
  const auto first = decimal.digits.find_first_not_of('0');
  if (first == std::string::npos) return Decimal();
  decimal.digits.erase(0, first);
  decimal.exponent -= static_cast<std::int64_t>(first);
  decimal.digits.erase(decimal.digits.find_last_not_of('0') + 1);
  return decimal;
}

// Postgres writes the digits out from 0.0001 to below 10^digits of the type.
template <class Number>
std::string shortest(Number number, Number great) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return (number < 0 ? "-" : "") + std::string(infinity);
  const Number size = std::abs(number);
  const bool plain = size == 0 || (size >= Number(1e-4) && size < great);
  std::array<char, 64> buffer;  // Longer than any of these.
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format);
  return {buffer.data(), end};
}

template <class Number>
std::optional<Number> parse_float(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view size = text.substr(negative ? 1 : 0);
  if (size == infinity) {
    constexpr Number infinite = std::numeric_limits<Number>::infinity();
    return negative ? -infinite : infinite;
  }
  if (size.empty() || !(is_digit(size.front()) || size.front() == '.')) return {};
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

}  // namespace

std::string to_text(double number) {
  return shortest(number, 1e15);
}

std::string to_text(float number) {
  return shortest(number, 1e6F);
}

std::optional<std::int64_t> to_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return {};
  return number;
}

std::optional<double> to_real(std::string_view text) {
  return parse_float<double>(text);
}

std::optional<float> to_float(std::string_view text) {
  return parse_float<float>(text);
}

bool is_same_decimal(std::string_view left, std::string_view right) {
  const auto one = parse_decimal(left);
  return one && one == parse_decimal(right);
}

std::string_view trim_spaces(std::string_view text) {
  constexpr std::string_view spaces = " \t\n\v\f\r";
  const auto first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

bool looks_numeric(std::string_view text) {
  return parse_decimal(trim_spaces(text)).has_value();
}

}  // namespace threadkeep::sqlite
