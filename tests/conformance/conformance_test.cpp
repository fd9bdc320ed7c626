// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/conformance.hpp"

#include "backends_under_test.hpp"

namespace threadkeep::testing {
namespace {

// A stack of layers behaves as what is in it.
std::vector<BackendSpec> with_layers(std::vector<BackendSpec> backends) {
#ifdef THREADKEEP_TEST_MEMORY
  backends.push_back(backend_at("layered", "memory:?try_timeout=30s&retry=3&breaker=on"));
#endif
  return backends;
}

}  // namespace
}  // namespace threadkeep::testing

THREADKEEP_CONFORMANCE(threadkeep::testing::with_layers(threadkeep::testing::built_backends()))
