// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "threadkeep/retention/decision.hpp"
#include "threadkeep/retention_host.hpp"

namespace threadkeep::retention {

/// A time as ISO 8601 text has it, to the minute at least; without a zone it is UTC. Absent for
/// everything else.
std::optional<std::int64_t> read_time(std::string_view text) noexcept;

/// What decide() has to know of a thread that is there.
ThreadFacts facts_of(const ThreadRows& rows);

}  // namespace threadkeep::retention
