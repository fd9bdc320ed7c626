// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace threadkeep {

/// The length of the longest prefix that is valid UTF-8 (RFC 3629: no surrogates, no overlong
/// forms, nothing above U+10FFFF). Equals text.size() when all of it is.
std::size_t valid_utf8_prefix(std::string_view text) noexcept;

inline bool is_utf8(std::string_view text) noexcept {
  return valid_utf8_prefix(text) == text.size();
}

/// Keys of JSON and names of channels may be as long as a value, and messages name them.
inline constexpr std::size_t longest_field = 1000;

/// The name of a field as messages have it: all of it, or its beginning and "...".
std::string beginning_of(std::string_view field);

}  // namespace threadkeep
