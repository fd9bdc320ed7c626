// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/session_conformance.hpp"

#include "layered_backends.hpp"

THREADKEEP_SESSION_CONFORMANCE(threadkeep::testing::backends_and_layers())
