// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "threadkeep/testing/backend_spec.hpp"

namespace threadkeep::testing {

/// What a lockstep run does. Equal plans do the same operations, on any machine.
struct LockstepPlan {
  std::uint64_t seed = 1;
  std::size_t operations = 500;
};

/// Carries out the same random operations on two new stores and compares everything that comes
/// back: outcomes and error codes, tuples, pages, histories, threads; messages and state where the
/// candidate keeps them. Ids collide, are awkward and come in any order; versions are used again;
/// writes come alone and in groups.
///
/// Empty when the stores agree. Else a report with the seed, the shortest list of operations found
/// that still shows the difference, and both answers.
std::optional<std::string> run_lockstep(const BackendSpec& candidate, const BackendSpec& oracle,
                                        const LockstepPlan& plan);

}  // namespace threadkeep::testing
