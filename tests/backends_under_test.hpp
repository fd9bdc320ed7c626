// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "threadkeep/testing/backend_spec.hpp"
#include "threadkeep/testing/redis_server.hpp"

namespace threadkeep::testing {

/// The backends of this build. SQLite need not wait for the disk here: what it promises about
/// durability has tests of its own.
inline std::vector<BackendSpec> built_backends() {
  std::vector<BackendSpec> backends;
#ifdef THREADKEEP_TEST_MEMORY
  backends.push_back(backend_at("memory", "memory:"));
#endif
#ifdef THREADKEEP_TEST_REDIS
  backends.push_back(redis_backend());
#endif
#ifdef THREADKEEP_TEST_SQLITE
  backends.push_back(backend_at("sqlite", "sqlite:{dir}/store.db?synchronous=normal"));
#endif
  return backends;
}

}  // namespace threadkeep::testing
