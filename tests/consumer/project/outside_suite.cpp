// SPDX-License-Identifier: Apache-2.0
#include <threadkeep/testing/conformance.hpp>

THREADKEEP_CONFORMANCE(threadkeep::testing::backend_at("outside", URL))
