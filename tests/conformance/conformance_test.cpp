// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/conformance.hpp"

#include "layered_backends.hpp"

THREADKEEP_CONFORMANCE(threadkeep::testing::backends_and_layers())
