// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/conformance.hpp"

#include "backends_under_test.hpp"

THREADKEEP_CONFORMANCE(threadkeep::testing::built_backends())
