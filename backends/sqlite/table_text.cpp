// SPDX-License-Identifier: Apache-2.0
#include "table_text.hpp"

#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "copy_text.hpp"
#include "table_numbers.hpp"
#include "threadkeep/table_lines.hpp"

namespace threadkeep::sqlite {

namespace {

using tables::Kind;

bool is_timestamp(Kind kind) noexcept {
  return kind == Kind::timestamp || kind == Kind::timestamp_with_zone;
}

std::string to_hex(std::string_view bytes) {
  std::string text;
  append_hex(text, bytes);
  return text;
}

// "5.0" where "5" would be an integer.
std::string real_text(double number, Kind kind) {
  std::string text = to_text(number);
  const bool whole = text.find_first_not_of("-0123456789") == std::string::npos;
  return whole && kind != Kind::floating ? text + ".0" : text;
}

// Numbers below these are seconds, milliseconds and microseconds since 1970.
constexpr double seconds_end = 1e11;
constexpr double milliseconds_end = 1e14;
constexpr double microseconds_end = 1e17;
// Julian days of the years 1 to 9999.
constexpr double first_day = 1721425.5;
constexpr double last_day = 5373484.5;
constexpr double day_of_1970 = 2440587.5;

std::optional<std::int64_t> microseconds_of(std::int64_t number) {
  const double size = std::abs(static_cast<double>(number));
  if (size < seconds_end) return number * 1'000'000;
  if (size < milliseconds_end) return number * 1000;
  if (size < microseconds_end) return number;
  return {};
}

// Julian days have the precision of a millisecond, as SQLite uses them.
std::optional<std::int64_t> microseconds_of(double number) {
  const double size = std::abs(number);
  if (number >= first_day && number < last_day) {
    return std::llround((number - day_of_1970) * 86'400'000) * 1000;
  }
  if (size < seconds_end) return std::llround(number * 1e6);
  if (size < milliseconds_end) return std::llround(number * 1e3);
  if (size < microseconds_end) return std::llround(number);
  return {};
}

// "2026-01-02 03:04:05.6"; absent outside of the years 1 to 9999.
std::optional<std::string> time_text(std::int64_t microseconds, Kind kind) {
  using namespace std::chrono;
  const sys_time<std::chrono::microseconds> time{std::chrono::microseconds(microseconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  const int year = static_cast<int>(date.year());
  if (year < 1 || year > 9999) return {};
  char buffer[40];
  const int length = std::snprintf(
      buffer, sizeof buffer, "%04d-%02u-%02u %02d:%02d:%02d.%06d", year,
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  std::string text(buffer, static_cast<std::size_t>(length));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return kind == Kind::timestamp_with_zone ? text + "+00" : text;
}

std::optional<std::string> truth_of(std::string_view text) {
  const std::string lower = to_lower(text);
  if (lower == "true" || lower == "t") return "t";
  if (lower == "false" || lower == "f") return "f";
  return {};
}

template <class Number>
std::string number_text(Number number, std::string digits, Kind kind) {
  if (kind == Kind::bytes) return to_hex(digits);
  if (!is_timestamp(kind)) return digits;
  if (const auto time = microseconds_of(number)) {
    if (auto text = time_text(*time, kind)) return std::move(*text);
  }
  return digits;
}

std::string integer_text(std::int64_t number, Kind kind) {
  if (kind == Kind::boolean && (number == 0 || number == 1)) return number == 0 ? "f" : "t";
  return number_text(number, std::to_string(number), kind);
}

std::string text_text(std::string_view text, Kind kind) {
  if (kind == Kind::bytes) return to_hex(text);
  if (kind == Kind::boolean) return truth_of(text).value_or(std::string(text));
  return std::string(text);
}

// float32 in the order of bytes that sqlite-vec, libSQL and numpy write.
float little_endian_float(const char* bytes) noexcept {
  static_assert(std::endian::native == std::endian::little);
  float number = 0;
  std::memcpy(&number, bytes, sizeof number);
  return number;
}

std::optional<std::string> vector_text(std::string_view blob) {
  if (blob.empty() || blob.size() % sizeof(float) != 0) return {};
  std::string text = "[";
  for (std::size_t at = 0; at < blob.size(); at += sizeof(float)) {
    const float number = little_endian_float(blob.data() + at);
    if (!std::isfinite(number)) return {};
    if (at > 0) text += ',';
    text += to_text(number);
  }
  return text + ']';
}

std::optional<OwnedValue> vector_value(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']')) return {};
  text = text.substr(1, text.size() - 2);
  std::string blob;
  while (true) {
    const auto comma = text.find(',');
    const auto number = to_float(text.substr(0, comma));
    if (!number) return {};
    blob.append(reinterpret_cast<const char*>(&*number), sizeof(float));
    if (comma == std::string_view::npos) return OwnedValue::blob(std::move(blob));
    text.remove_prefix(comma + 1);
  }
}

constexpr std::size_t uuid_size = 16;

std::string uuid_text(std::string_view blob) {
  std::string text = to_hex(blob).substr(2);
  for (const std::size_t at : std::array<std::size_t, 4>{20, 16, 12, 8}) text.insert(at, "-");
  return text;
}

std::optional<OwnedValue> uuid_value(std::string_view text) {
  std::string hex = "\\x";
  for (const char c : text) {
    if (c != '-') hex += c;
  }
  std::string blob;
  if (!parse_hex(hex, blob) || blob.size() != uuid_size) return {};
  return OwnedValue::blob(std::move(blob));
}

std::string blob_text(std::string_view blob, Kind kind) {
  if (kind == Kind::uuid && blob.size() == uuid_size) return uuid_text(blob);
  if (kind == Kind::vector) {
    if (auto text = vector_text(blob)) return std::move(*text);
  }
  return to_hex(blob);
}

std::string rounding_problem(const std::string& text) {
  return "cannot keep the number " + text + " unchanged; declare the column TEXT";
}

// The functions below may take the content of `text`.
Reading kept_as_text(std::string& text) {
  return {OwnedValue::text(std::move(text)), {}};
}

Reading number(double real) {
  return {OwnedValue(Value::of(real)), {}};
}

// A whole number that fits into 64 bits.
Reading whole(std::string& text, std::int64_t integer, Format format) {
  const auto real = static_cast<double>(integer);
  if (format.kind == Kind::floating) return number(real);
  if (format.affinity == Affinity::real && !is_same_decimal(to_text(real), text)) {
    return {{}, rounding_problem(text)};
  }
  return {OwnedValue(Value::of(integer)), {}};
}

// A number of a column of numbers. Where it is to be exact, and a double is not, only columns that
// keep texts can have it.
Reading fraction(std::string& text, double real, Format format) {
  if (format.kind == Kind::floating) return number(real);
  const std::string again = real_text(real, format.kind);
  if (format.affinity == Affinity::none) {
    return again == text ? number(real) : kept_as_text(text);
  }
  if (std::isinf(real) || is_same_decimal(again, text)) return number(real);
  return {{}, rounding_problem(text)};
}

// A column of numbers makes numbers of texts that look like them.
Reading text_in(std::string& text, Format format) {
  const bool converts = format.affinity != Affinity::none && format.affinity != Affinity::text;
  if (!converts || !looks_numeric(text)) return kept_as_text(text);
  const std::string_view trimmed = trim_spaces(text);
  const auto integer = to_integer(trimmed);
  const auto real = integer ? static_cast<double>(*integer) : to_real(trimmed);
  const bool becomes_integer = integer && format.affinity != Affinity::real;
  std::string again;
  if (becomes_integer) {
    again = std::to_string(*integer);
  } else if (real) {
    again = to_text(*real);
  }
  const bool same = format.kind == Kind::json ? is_same_decimal(again, trimmed) : again == text;
  if (!same) {
    return {{}, "would turn the text '" + text + "' into another number; declare the column TEXT"};
  }
  if (becomes_integer) return {OwnedValue(Value::of(*integer)), {}};
  return number(*real);
}

Reading number_in(std::string& text, Format format) {
  if (format.affinity == Affinity::text) return kept_as_text(text);
  if (const auto integer = to_integer(text)) return whole(text, *integer, format);
  const auto real = to_real(text);
  if (real && (std::isfinite(*real) || format.kind != Kind::integer)) {
    return fraction(text, *real, format);
  }
  return text_in(text, format);
}

Reading truth_in(std::string& text, Format format) {
  if (format.affinity == Affinity::text) return kept_as_text(text);
  if (text == "t") return {OwnedValue(Value::of(std::int64_t{1})), {}};
  if (text == "f") return {OwnedValue(Value::of(std::int64_t{0})), {}};
  return number_in(text, format);
}

Reading bytes_in(std::string& text, Format format) {
  std::string blob;
  if (parse_hex(text, blob)) return {OwnedValue::blob(std::move(blob)), {}};
  return text_in(text, format);
}

// "+00" is an offset to Postgres; SQLite and most parsers of programs want the minutes too.
Reading time_in(std::string& text, Format format) {
  const auto sign = text.find_last_of("+-");
  const bool hours_only = sign != std::string::npos && sign + 3 == text.size() &&
                          text.find(':') < sign && tables::hex_digit(text[sign + 1]) <= 9;
  if (hours_only) text += ":00";
  return text_in(text, format);
}

std::optional<OwnedValue> number_value(std::string_view text) {
  if (const auto integer = to_integer(text)) return OwnedValue(Value::of(*integer));
  if (const auto real = to_real(text)) return OwnedValue(Value::of(*real));
  return {};
}

std::optional<OwnedValue> blob_value(std::string_view text, Kind kind) {
  if (kind == Kind::uuid && text.find('-') != std::string_view::npos) return uuid_value(text);
  if (kind == Kind::vector && text.starts_with('[')) return vector_value(text);
  std::string blob;
  if (!parse_hex(text, blob)) return {};
  return OwnedValue::blob(std::move(blob));
}

}  // namespace

std::string canonical_text(const Value& value, Kind kind) {
  switch (value.storage) {
    case Storage::integer:
      return integer_text(value.integer, kind);
    case Storage::real:
      return number_text(value.real, real_text(value.real, kind), kind);
    case Storage::text:
      return text_text(value.bytes, kind);
    case Storage::blob:
      return blob_text(value.bytes, kind);
    case Storage::null:
      break;
  }
  return {};
}

Reading value_of(std::string text, Format format) {
  switch (format.kind) {
    case Kind::boolean:
      return truth_in(text, format);
    case Kind::integer:
    case Kind::floating:
    case Kind::numeric:
      return number_in(text, format);
    case Kind::bytes:
      return bytes_in(text, format);
    case Kind::timestamp_with_zone:
      return time_in(text, format);
    default:
      return text_in(text, format);
  }
}

std::optional<OwnedValue> value_of_class(std::string_view text, Storage storage, Kind kind) {
  std::string bytes;
  if (kind == Kind::bytes && storage != Storage::blob) {
    if (!parse_hex(text, bytes)) return {};
    text = bytes;
  }
  switch (storage) {
    case Storage::integer:
    case Storage::real:
      return number_value(text);
    case Storage::text:
      return OwnedValue::text(std::string(text));
    case Storage::blob:
      return blob_value(text, kind);
    case Storage::null:
      break;
  }
  return {};
}

}  // namespace threadkeep::sqlite
