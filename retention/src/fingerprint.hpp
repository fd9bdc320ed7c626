// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "threadkeep/retention_host.hpp"

namespace threadkeep::retention {

/// A number that is another one as soon as anybody stores something in the thread or deletes from
/// it; 0 when there is no thread. For comparisons within one process.
std::uint64_t fingerprint(const ThreadRows& rows);

}  // namespace threadkeep::retention
