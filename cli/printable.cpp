// SPDX-License-Identifier: Apache-2.0
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cwchar>

namespace threadkeep::cli {

namespace {

struct Character {
  char32_t code = 0;     // U+FFFF, which is none, where the bytes are not UTF-8
  std::size_t size = 1;  // in bytes
};

constexpr char32_t none = 0xFFFF;

std::size_t length_of(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

// The first character of a text that is not empty (RFC 3629).
Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = length_of(byte(0));
  if (size == 0 || size > text.size()) return {none, 1};
  if (size == 1) return {byte(0), 1};
  auto code = static_cast<char32_t>(byte(0) & (0xFFU >> (size + 1)));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {none, 1};
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  if (code < least.at(size) || surrogate || code > 0x10FFFF) return {none, 1};
  return {code, size};
}

bool is_safe(char32_t code) {
  const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
  const bool separator = code == 0x2028 || code == 0x2029;
  const bool direction = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
                         code == 0x200E || code == 0x200F || code == 0x061C;
  return !control && !separator && !direction && code != none && code != 0xFEFF;
}

std::string escaped(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    if (byte == '\n') {
      text += "\\n";
    } else if (byte == '\t') {
      text += "\\t";
    } else {
      std::array<char, 5> digits{};
      std::snprintf(digits.data(), digits.size(), "\\x%02x", static_cast<unsigned char>(byte));
      text += digits.data();
    }
  }
  return text;
}

std::size_t width_of(char32_t code) {
  const int width = ::wcwidth(static_cast<wchar_t>(code));
  return width < 0 ? 1 : static_cast<std::size_t>(width);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const Character next = first_of(text);
    const auto bytes = text.substr(0, next.size);
    if (is_safe(next.code)) {
      result += bytes;
    } else {
      result += escaped(bytes);
    }
    text.remove_prefix(next.size);
  }
  return result;
}

void print_lines(std::ostream& out, std::string_view text) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out << "    " << printable(text.substr(begin, end - begin)) << "\n";
    begin = end + 1;
  }
}

std::size_t columns(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character next = first_of(text);
    width += width_of(next.code);
    text.remove_prefix(next.size);
  }
  return width;
}

std::string shortened(std::string_view text, std::size_t width) {
  if (columns(text) <= width) return std::string(text);
  std::size_t size = 0;
  std::size_t used = 1;  // the mark
  while (size < text.size()) {
    const Character next = first_of(text.substr(size));
    used += width_of(next.code);
    if (used > width) break;
    size += next.size;
  }
  return std::string(text.substr(0, size)) + "…";
}

std::string size_text(std::size_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  auto size = static_cast<double>(bytes) / 1024;
  constexpr std::array units = {"KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; size >= 1024 && unit + 1 < units.size(); ++unit) size /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", size, units.at(unit));
  return text.data();
}

}  // namespace threadkeep::cli
