// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace threadkeep::ops {

/// What a person writes by hand is far shorter; a device or a wrong file has no end.
inline constexpr std::size_t most_text_bytes = 1024 * 1024;

/// The bytes of a small file that `what` describes in messages, such as "the configuration". Takes
/// most_text_bytes of memory at most. Throws Error(unavailable) when it cannot be read,
/// Error(invalid_argument) when it is longer.
std::string read_text_file(const std::string& path, const std::string& what);

/// Throws Error(invalid_argument) for what an editor would not show as it is: bytes that are not
/// UTF-8, control characters. A parser may end at one of them and take the beginning for all.
void check_text(const std::string& text, const std::string& what);

}  // namespace threadkeep::ops
