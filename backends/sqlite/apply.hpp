// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "connection.hpp"
#include "threadkeep/mutation.hpp"

namespace threadkeep::sqlite {

/// Backend::apply on a connection that writes: one transaction for the batch, and one for each
/// mutation when that one is lost.
std::vector<Outcome> apply(Connection& connection, std::span<const Mutation> batch,
                           std::int64_t now);

}  // namespace threadkeep::sqlite
