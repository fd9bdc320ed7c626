// SPDX-License-Identifier: Apache-2.0
#include "table_fields.hpp"

#include <array>
#include <charconv>
#include <cstdio>

#include "copy_text.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::sqlite {

namespace {

using tables::Kind;

void append_octal(std::string& line, char c) {
  const auto byte = static_cast<unsigned char>(c);
  line += '\\';
  line += static_cast<char>('0' + (byte >> 6));
  line += static_cast<char>('0' + ((byte >> 3) & 7));
  line += static_cast<char>('0' + (byte & 7));
}

void append_hex_escape(std::string& line, char c) {
  constexpr char digits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  line += "\\x";
  line += digits[byte >> 4];
  line += digits[byte & 15];
}

// One octal escape for a text, two for a blob, a hexadecimal one for a number.
void append_with_class(std::string& line, std::string_view text, Storage storage) {
  std::size_t marked = 1;
  if (storage == Storage::text || storage == Storage::blob) {
    append_octal(line, text[0]);
    if (storage == Storage::blob) append_octal(line, text[marked++]);
  } else {
    append_hex_escape(line, text[0]);
  }
  append_escaped(line, text.substr(marked));
}

bool is_octal_escape(std::string_view field) noexcept {
  return field.size() >= 4 && field[0] == '\\' && field[1] >= '0' && field[1] <= '3' &&
         field.substr(2, 2).find_first_not_of("01234567") == std::string_view::npos;
}

Storage class_of(std::string_view field) noexcept {
  if (is_octal_escape(field)) {
    return is_octal_escape(field.substr(4)) ? Storage::blob : Storage::text;
  }
  return field.starts_with("\\x") ? Storage::real : Storage::null;
}

// The pairs that most values are, for which nothing has to be tried.
bool is_usual(Storage storage, Format format) noexcept {
  switch (storage) {
    case Storage::text:
      return format.affinity == Affinity::text && format.kind == Kind::text;
    case Storage::integer:
      return format.affinity == Affinity::integer && format.kind == Kind::integer;
    case Storage::real:
      return format.affinity == Affinity::real && format.kind == Kind::floating;
    case Storage::blob:
      return format.kind == Kind::bytes;
    case Storage::null:
      break;
  }
  return true;
}

bool is_read_back(const std::string& text, const Value& value, Format format) {
  const Reading reading = value_of(text, format);
  return !reading.problem && reading.value.view() == value;
}

bool is_read_back_as_class(const std::string& text, const Value& value, Format format) {
  if (text.empty() || (value.storage == Storage::blob && text.size() < 2)) return false;
  const auto again = value_of_class(text, value.storage, format.kind);
  return again && again->view() == value;
}

std::string hex_real(double number) {
  std::array<char, 40> buffer;
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::hex);
  return {buffer.data(), end};
}

void append_to_cursor(std::string& cursor, const Value& value) {
  switch (value.storage) {
    case Storage::integer:
      cursor += 'i' + std::to_string(value.integer);
      break;
    case Storage::real:
      cursor += 'r' + hex_real(value.real);
      break;
    case Storage::text:
      append_hex(cursor += 't', value.bytes);
      break;
    case Storage::blob:
      append_hex(cursor += 'b', value.bytes);
      break;
    case Storage::null:
      cursor += 'n';
  }
}

bool is_ascii(std::string_view text) noexcept {
  for (const char c : text) {
    if (c < ' ' || c > '~' || c == ',' || c == '\\') return false;
  }
  return true;
}

std::optional<OwnedValue> real_of_hex(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::hex);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return OwnedValue(Value::of(number));
}

std::optional<OwnedValue> value_of_part(std::string_view part) {
  if (part.empty()) return {};
  const std::string_view rest = part.substr(1);
  switch (part[0]) {
    case 'i':
      return value_of_class(rest, Storage::integer, Kind::integer);
    case 'r':
      return real_of_hex(rest);
    case 'p':
      return OwnedValue::text(std::string(rest));
    case 't':
      return value_of_class(rest, Storage::text, Kind::bytes);
    case 'b':
      return value_of_class(rest, Storage::blob, Kind::bytes);
    default:
      return {};
  }
}

}  // namespace

void append_field(std::string& line, const Value& value, Format format) {
  if (value.storage == Storage::null) {
    line += null_field;
  } else if (value.storage == Storage::text && is_usual(Storage::text, format)) {
    append_escaped(line, value.bytes);
  } else {
    const std::string text = canonical_text(value, format.kind);
    if (is_usual(value.storage, format) || is_read_back(text, value, format) ||
        !is_read_back_as_class(text, value, format)) {
      append_escaped(line, text);
    } else {
      append_with_class(line, text, value.storage);
    }
  }
}

Reading read_field(std::string_view field, Format format) {
  if (field == null_field) return {};
  std::string text = unescape(field);
  const Storage storage = class_of(field);
  if (storage != Storage::null) {
    auto value = value_of_class(text, storage, format.kind);
    if (value && storage != Storage::text) return {std::move(*value), {}};
    if (value) return value_of(std::string(value->view().bytes), {Kind::text, format.affinity});
  }
  return value_of(std::move(text), format);
}

// Parts between commas: plain texts, and others as hexadecimal digits.
std::string to_cursor(const std::vector<Value>& values) {
  std::string cursor;
  for (const Value& value : values) {
    if (!cursor.empty()) cursor += ',';
    if (value.storage == Storage::text && is_ascii(value.bytes)) {
      cursor.append("p").append(value.bytes);
    } else {
      append_to_cursor(cursor, value);
    }
  }
  return cursor;
}

std::vector<OwnedValue> parse_cursor(const std::string& cursor) {
  std::vector<OwnedValue> values;
  std::string_view rest = cursor;
  while (true) {
    const auto comma = rest.find(',');
    auto value = value_of_part(rest.substr(0, comma));
    if (!value) throw Error(Code::invalid_argument, "'" + cursor + "' is no cursor of a table");
    values.push_back(std::move(*value));
    if (comma == std::string_view::npos) return values;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace threadkeep::sqlite
