// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/table_lines.hpp"

namespace threadkeep::tables {

namespace {

constexpr std::string_view letters = "bfnrtv";
constexpr std::string_view characters = "\b\f\n\r\t\v";

bool is_octal(char c) noexcept {
  return c >= '0' && c <= '7';
}

// Up to three digits, from `at`, which is moved past them.
char take_octal(std::string_view field, std::size_t& at) {
  unsigned value = 0;
  for (int i = 0; i < 3 && at < field.size() && is_octal(field[at]); ++i) {
    value = value * 8 + static_cast<unsigned>(field[at++] - '0');
  }
  return static_cast<char>(value & 0xff);
}

// One or two digits.
char take_hex(std::string_view field, std::size_t& at) {
  int value = 0;
  for (int i = 0; i < 2 && at < field.size() && hex_digit(field[at]) >= 0; ++i) {
    value = value * 16 + hex_digit(field[at++]);
  }
  return static_cast<char>(value);
}

// What follows a backslash; `at` is behind it.
char take_escape(std::string_view field, std::size_t& at) {
  const char c = field[at];
  if (is_octal(c)) return take_octal(field, at);
  ++at;
  if (c == 'x' && at < field.size() && hex_digit(field[at]) >= 0) return take_hex(field, at);
  const auto letter = letters.find(c);
  return letter == std::string_view::npos ? c : characters[letter];
}

}  // namespace

void append_unescaped(std::string& text, std::string_view field) {
  std::size_t at = 0;
  while (at < field.size()) {
    const char c = field[at++];
    text += c == '\\' && at < field.size() ? take_escape(field, at) : c;
  }
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace threadkeep::tables
