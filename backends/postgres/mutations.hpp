// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "database.hpp"
#include "threadkeep/mutation.hpp"

namespace threadkeep::postgres {

/// Backend::apply on a database; see threadkeep/backend.hpp.
std::vector<Outcome> apply(Database& database, std::span<const Mutation> batch, std::int64_t now,
                           const Call& call);

}  // namespace threadkeep::postgres
