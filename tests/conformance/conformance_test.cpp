// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/conformance.hpp"

#include "tiered_backends.hpp"

THREADKEEP_CONFORMANCE(threadkeep::testing::backends_and_tiered())
