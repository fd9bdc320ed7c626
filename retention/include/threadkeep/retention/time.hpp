// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace threadkeep::retention {

/// Microseconds since 1970 UTC of a time as ISO 8601 text has it, to the minute at least; without a
/// zone it is UTC. Absent for everything else.
std::optional<std::int64_t> read_time(std::string_view text) noexcept;

}  // namespace threadkeep::retention
