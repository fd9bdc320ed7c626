// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace threadkeep {

/// The length of the longest prefix that is valid UTF-8 (RFC 3629: no surrogates, no overlong
/// forms, nothing above U+10FFFF). Equals text.size() when all of it is.
std::size_t valid_utf8_prefix(std::string_view text) noexcept;

inline bool is_utf8(std::string_view text) noexcept {
  return valid_utf8_prefix(text) == text.size();
}

}  // namespace threadkeep
