// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <threadkeep/threadkeep.hpp>

#include "json_output.hpp"

namespace threadkeep::cli {

/// "2026-11-22 13:50:01 UTC", or "unknown"; see ThreadInfo.
std::string known_time(std::int64_t time);

/// A thread as the commands report it.
Json thread_json(const ThreadInfo& thread);

}  // namespace threadkeep::cli
