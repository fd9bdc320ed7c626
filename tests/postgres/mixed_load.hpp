// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "threadkeep/store.hpp"

namespace threadkeep::postgres_test {

/// 32 threads at once on one store, each with random calls of all kinds on threads of its own.
/// What every call returns must be what it returns on a store in memory that has the thread to
/// itself. Fails the test otherwise, with the seed.
void run_mixed_load(const std::shared_ptr<Store>& store);

}  // namespace threadkeep::postgres_test
