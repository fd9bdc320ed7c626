// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "threadkeep/store.hpp"

namespace threadkeep::ops {

/// The thread with this id as a listing shows it; nothing when none would.
std::optional<ThreadInfo> find_thread(Store& store, const std::string& thread_id, const Call& call);

}  // namespace threadkeep::ops
