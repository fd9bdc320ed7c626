// SPDX-License-Identifier: Apache-2.0
#include "table_lines.hpp"

#include <algorithm>

#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

// Tells a cursor whose only value is empty from the one before all rows.
constexpr char mark = '=';

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (auto at = text.find(separator); at != std::string_view::npos; at = text.find(separator)) {
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  parts.push_back(text);
  return parts;
}

char escaped_character(char letter) noexcept {
  constexpr std::string_view letters = "bfnrtv";
  constexpr std::string_view characters = "\b\f\n\r\t\v";
  const auto at = letters.find(letter);
  return at == std::string_view::npos ? letter : characters[at];
}

// The server writes no other escapes than these: a backslash and a letter or itself.
std::string unescape(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool escape = value[i] == '\\' && i + 1 < value.size();
    out += escape ? escaped_character(value[++i]) : value[i];
  }
  return out;
}

// What unescape() takes back.
void append_escaped(std::string& out, std::string_view value) {
  constexpr std::string_view characters = "\b\f\n\r\t\v\\";
  constexpr std::string_view letters = "bfnrtv\\";
  for (const char each : value) {
    const auto at = characters.find(each);
    if (at != std::string_view::npos) out += '\\';
    out += at == std::string_view::npos ? each : letters[at];
  }
}

}  // namespace

tables::Cursor cursor_with(const tables::KeyValues& key) {
  tables::Cursor cursor;
  for (const std::string& value : key) {
    cursor += cursor.empty() ? mark : '\t';
    append_escaped(cursor, value);
  }
  return cursor;
}

tables::Cursor cursor_of(std::string_view line, const std::vector<std::size_t>& key) {
  if (key.empty()) return {};
  if (line.ends_with('\n')) line.remove_suffix(1);
  const auto values = split(line, '\t');
  tables::Cursor cursor(1, mark);
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (i > 0) cursor += '\t';
    cursor += values.at(key[i]);
  }
  return cursor;
}

std::vector<std::string> values_of(std::string_view cursor, std::size_t count) {
  const bool marked = cursor.starts_with(mark);
  const auto parts = split(cursor.substr(marked ? 1 : 0), '\t');
  if (!marked || count == 0 || parts.size() != count) {
    throw Error(Code::invalid_argument,
                "the place to go on from does not fit the key of the table; begin it again");
  }
  std::vector<std::string> values;
  values.reserve(count);
  std::transform(parts.begin(), parts.end(), std::back_inserter(values), unescape);
  return values;
}

std::vector<std::string_view> split_lines(std::string_view lines) {
  if (lines.ends_with('\n')) lines.remove_suffix(1);
  return split(lines, '\n');
}

std::pair<std::string_view, std::string_view> halves(std::string_view lines) noexcept {
  if (lines.empty()) return {lines, {}};
  const auto last = lines.size() - 1;
  auto end = lines.find('\n', lines.size() / 2);
  if (end >= last) end = lines.rfind('\n', last - (last > 0 ? 1 : 0));
  if (end == std::string_view::npos || end >= last) return {lines, {}};
  return {lines.substr(0, end + 1), lines.substr(end + 1)};
}

}  // namespace threadkeep::postgres
