// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace threadkeep::ops {

/// Appends the bytes in base64 (RFC 4648, section 4), padded.
void append_base64(std::string& text, std::string_view bytes);

/// The bytes that a text stands for; nothing unless it is what append_base64 makes of them.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace threadkeep::ops
