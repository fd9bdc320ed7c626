// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// \file
/// The text format of Postgres' COPY, in which rows travel; see table_store.hpp.

namespace threadkeep::tables {

/// Appends a field without its escapes, as Postgres reads it: letters, `\101`, `\x41`, and any
/// other character after a backslash as itself.
void append_unescaped(std::string& text, std::string_view field);

/// The value of a hexadecimal digit, -1 for others.
int hex_digit(char c) noexcept;

}  // namespace threadkeep::tables
