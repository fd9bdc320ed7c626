// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// \file
/// The escapes of Postgres' COPY in text format.

namespace threadkeep::sqlite {

inline constexpr std::string_view null_field = "\\N";

void append_escaped(std::string& line, std::string_view text);

/// Without the escapes, as Postgres reads them: letters, `\101`, `\x41`, and any other character
/// after a backslash as itself.
std::string unescape(std::string_view field);

/// The fields of a line, which may end with its newline.
void split_line(std::string_view line, std::vector<std::string_view>& fields);

/// `\x` and two digits for each byte.
void append_hex(std::string& text, std::string_view bytes);
/// False when it is not that.
bool parse_hex(std::string_view text, std::string& bytes);

}  // namespace threadkeep::sqlite
