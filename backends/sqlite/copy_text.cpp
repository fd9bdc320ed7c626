// SPDX-License-Identifier: Apache-2.0
#include "copy_text.hpp"

#include "threadkeep/table_lines.hpp"

namespace threadkeep::sqlite {

namespace {

constexpr std::string_view escaped = "\b\f\n\r\t\v\\";
constexpr std::string_view letters = "bfnrtv\\";

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
  tables::append_unescaped(text, field);
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

bool parse_hex(std::string_view text, std::string& bytes) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) return false;
  bytes.clear();
  bytes.reserve(text.size() / 2 - 1);
  for (std::size_t i = 2; i < text.size(); i += 2) {
    const int high = tables::hex_digit(text[i]);
    const int low = tables::hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes += static_cast<char>(high * 16 + low);
  }
  return true;
}

}  // namespace threadkeep::sqlite
