// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <threadkeep/retention/policy.hpp>
#include <vector>

#include "config/reading.hpp"

namespace threadkeep::ops {

/// The policies below the key `retention`, in their order. What is wrong with them is noted in
/// `reading`, each problem with its place.
std::vector<retention::Policy> take_policies(Reading& reading, const Reading::Member& retention);

}  // namespace threadkeep::ops
