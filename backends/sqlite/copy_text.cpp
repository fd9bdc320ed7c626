// SPDX-License-Identifier: Apache-2.0
#include "copy_text.hpp"

namespace threadkeep::sqlite {

namespace {

constexpr std::string_view escaped = "\b\f\n\r\t\v\\";
constexpr std::string_view letters = "bfnrtv\\";

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
  return letter == std::string_view::npos ? c : escaped[letter];
}

}  // namespace

void append_escaped(std::string& line, std::string_view text) {
  while (true) {
    const auto next = text.find_first_of(escaped);
    line.append(text.substr(0, next));
    if (next == std::string_view::npos) return;
    line += '\\';
    line += letters[escaped.find(text[next])];
    text.remove_prefix(next + 1);
  }
}

std::string unescape(std::string_view field) {
  std::string text;
  text.reserve(field.size());
  std::size_t at = 0;
  while (at < field.size()) {
    const char c = field[at++];
    text += c == '\\' && at < field.size() ? take_escape(field, at) : c;
  }
  return text;
}

void split_line(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  if (line.ends_with('\n')) line.remove_suffix(1);
  while (true) {
    const auto tab = line.find('\t');
    fields.push_back(line.substr(0, tab));
    if (tab == std::string_view::npos) return;
    line.remove_prefix(tab + 1);
  }
}

void append_hex(std::string& text, std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  const std::size_t start = text.size();
  text.resize(start + 2 + 2 * bytes.size());
  char* to = text.data() + start;
  *to++ = '\\';
  *to++ = 'x';
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
  }
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool parse_hex(std::string_view text, std::string& bytes) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return false;
  bytes.clear();
  bytes.reserve(text.size() / 2 - 1);
  for (std::size_t i = 2; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes += static_cast<char>(high * 16 + low);
  }
  return true;
}

}  // namespace threadkeep::sqlite
