// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lockstep/operation.hpp"

namespace threadkeep::testing {

/// The operations of a plan. They use few ids, so that they meet. `sessions`: also messages and
/// state.
std::vector<Operation> generate(std::uint64_t seed, std::size_t count, bool sessions);

/// Everything that messages and state can be asked for, of the threads and scopes in use.
std::vector<Operation> all_sessions();

}  // namespace threadkeep::testing
