// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>

namespace threadkeep::cli {

/// `text` as it may go to a terminal: control characters, characters that change the direction of
/// writing, and bytes that are not UTF-8 become escapes such as \x1b. What a store holds can
/// neither move the cursor nor pretend to be another line.
std::string printable(std::string_view text);

/// A text of many lines, each of them printable and indented.
void print_lines(std::ostream& out, std::string_view text);

/// How many columns printable text takes on a terminal.
std::size_t columns(std::string_view text);

/// The beginning of printable text that fits into `width` columns, ended by "…" where it was cut.
std::string shortened(std::string_view text, std::size_t width);

/// "34 B", "1.5 KiB", "12.0 MiB".
std::string size_text(std::size_t bytes);

}  // namespace threadkeep::cli
