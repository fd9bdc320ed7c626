// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

/// \file
/// What is at the other end of the standard output: a person or a program.

namespace threadkeep::cli {

/// Makes the widths of characters known; to be called once, first of all.
void prepare_terminal();

/// Takes the standard output for what it is now, also when it becomes a pipe to a pager.
void remember_terminal();

/// Columns of the terminal that the standard output is; 0 when it is none, so that nothing is cut.
std::size_t terminal_width();

/// The text in bold, in a fainter or another colour, where the standard output is a terminal that
/// knows them and NO_COLOR is not set (https://no-color.org).
std::string bold(const std::string& text);
std::string faint(const std::string& text);
/// What came and what went, in green and red.
std::string added(const std::string& text);
std::string removed(const std::string& text);

enum class Answer {
  yes,
  no,
  nobody,  ///< There is no terminal.
};

/// Asks a yes-or-no question on the terminal.
Answer ask(const std::string& question);

}  // namespace threadkeep::cli
