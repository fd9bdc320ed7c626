// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/session_conformance.hpp"

#include "backends_under_test.hpp"

THREADKEEP_SESSION_CONFORMANCE(threadkeep::testing::built_backends())
