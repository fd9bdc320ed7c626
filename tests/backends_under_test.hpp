// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "threadkeep/testing/backend_spec.hpp"
#include "threadkeep/testing/redis_server.hpp"
#ifdef THREADKEEP_TEST_POSTGRES
#include "postgres_backends.hpp"
#endif

namespace threadkeep::testing {

/// The backends of this build. SQLite and Postgres need not wait for the disk here: what they
/// promise about durability has tests of its own.
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
#ifdef THREADKEEP_TEST_POSTGRES
  backends.push_back(postgres_backend("postgres", bytewise_schemas));
  backends.push_back(postgres_backend("postgres_icu", icu_schemas));
#endif
  return backends;
}

}  // namespace threadkeep::testing
