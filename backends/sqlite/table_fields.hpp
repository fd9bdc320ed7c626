// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "table_text.hpp"

/// \file
/// Values as the fields of COPY lines. A column of SQLite holds values of any storage class; where
/// the text of a field would not be read back as the same value, the escapes of its first
/// characters tell the storage class: Postgres reads `\101` and `\x41` as `A` too.

namespace threadkeep::sqlite {

/// Adds the field of one value to a line.
void append_field(std::string& line, const Value& value, Format format);

/// Reads a field for a column.
Reading read_field(std::string_view field, Format format);

/// Values as a cursor, in ASCII.
std::string to_cursor(const std::vector<Value>& values);
/// The same values again. Throws Error(invalid_argument).
std::vector<OwnedValue> parse_cursor(const std::string& cursor);

}  // namespace threadkeep::sqlite
