// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace threadkeep {

/// Error::native() where a place can be reached and holds no store of ours, whatever else it holds:
/// what FirstUse::refuses ends in, and a file of another program.
inline constexpr std::string_view absent_store = "NO_STORE";

}  // namespace threadkeep
