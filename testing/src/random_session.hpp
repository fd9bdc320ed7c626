// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>
#include <string>

#include "threadkeep/filter.hpp"

namespace threadkeep::testing {

/// Metadata and filters that meet: few keys, and values that are nearly equal.
std::string random_metadata(std::mt19937_64& random);
std::string random_role(std::mt19937_64& random);
Filter random_filter(std::mt19937_64& random);

}  // namespace threadkeep::testing
