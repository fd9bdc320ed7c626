// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "connection.hpp"
#include "threadkeep/backend.hpp"

namespace threadkeep::sqlite {

/// Adds what is to be said about the file and its disk. Reads the whole file. An error while doing
/// so is a finding.
void examine(Connection& connection, const Settings& settings, std::vector<Finding>& findings);

}  // namespace threadkeep::sqlite
