// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "threadkeep/retention_host.hpp"

namespace threadkeep::retention {

/// A number of everything that can change in a thread: equal as long as nobody stores anything in
/// it or deletes from it. For comparisons within one process.
std::uint64_t fingerprint(const ThreadRows& rows);

}  // namespace threadkeep::retention
