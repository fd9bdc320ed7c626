// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "connection.hpp"
#include "threadkeep/backend.hpp"

namespace threadkeep::postgres {

/// Adds what is to be said about the schema and the server. An error while doing so is a finding.
void examine(Connection& connection, std::size_t pool_size, const Environment& environment,
             const Call& call, std::vector<Finding>& findings);

}  // namespace threadkeep::postgres
