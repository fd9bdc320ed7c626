// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "connection.hpp"
#include "settings.hpp"
#include "threadkeep/backend.hpp"

namespace threadkeep::redis {

/// Adds what is to be said about the server. What a proxy does not let us ask is a finding too.
void examine(Connection& connection, const Settings& settings, const Environment& environment,
             const Call& call, std::vector<Finding>& findings);

}  // namespace threadkeep::redis
