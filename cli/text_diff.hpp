// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace threadkeep::cli {

struct DiffLine {
  enum class Kind { both, before, after };

  Kind kind = Kind::both;
  std::string text;

  friend bool operator==(const DiffLine&, const DiffLine&) = default;
};

/// A value of one line, as value_text() writes it, in one line for each member, indented: what is
/// between brackets stands between their lines. A short value stays as it is.
std::vector<std::string> broken_lines(std::string_view text);

/// What was removed and what was added, with one line of what stayed around each place. The least
/// change where both are short; where they are long, it may be a larger one.
std::vector<DiffLine> text_diff(const std::vector<std::string>& before,
                                const std::vector<std::string>& after);

}  // namespace threadkeep::cli
