// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.hpp"
#include "threadkeep/backend.hpp"

namespace threadkeep::redis {

/// Asks the server who it is, and whether it may evict parts of threads. Throws Error.
Health look(Database& database, const Call& call);

}  // namespace threadkeep::redis
