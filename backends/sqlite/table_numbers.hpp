// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// \file
/// Numbers as text, exactly: SQLite's own conversions round, and the C library's know locales.

namespace threadkeep::sqlite {

/// The shortest text that is this number again, as Postgres writes float8: "0.1", "1e+20",
/// "Infinity". A whole number is "5".
std::string to_text(double number);
std::string to_text(float number);

/// All of the text is the number: digits, a sign before them.
std::optional<std::int64_t> to_integer(std::string_view text);
/// Digits with a point and an exponent, or what to_text() says of the infinite; not beyond what a
/// double reaches.
std::optional<double> to_real(std::string_view text);
std::optional<float> to_float(std::string_view text);

/// Two decimals are the same number: "1.50" and "15e-1".
bool is_same_decimal(std::string_view left, std::string_view right);

/// A number, to SQLite: a column of numbers does not keep the text.
bool looks_numeric(std::string_view text);
std::string_view trim_spaces(std::string_view text);

}  // namespace threadkeep::sqlite
