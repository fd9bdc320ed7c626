// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "database.hpp"
#include "threadkeep/mutation.hpp"

namespace threadkeep::postgres {

/// Backend::apply on a database. What fits into one transaction is one round trip; when that one
/// fails for a reason that may be one member's, each is tried alone.
std::vector<Outcome> apply(Database& database, std::span<const Mutation> batch, std::int64_t now,
                           const Call& call);

}  // namespace threadkeep::postgres
