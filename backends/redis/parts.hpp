// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// \file
/// What values are put together of.

namespace threadkeep::redis {

/// Throws Error(corrupt): the store holds `what` that threadkeep did not write.
[[noreturn]] void refuse(const std::string& what);

/// A part: its length (4 bytes, most significant first), then so many bytes.
void append_part(std::string& out, std::string_view part);
/// Takes one from the start of `rest`, which is of `what`.
std::string_view take_part(std::string_view& rest, const char* what);

/// Hexadecimal, with zeros before it.
std::string sixteen_digits(std::uint64_t number);

}  // namespace threadkeep::redis
