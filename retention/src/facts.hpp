// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "threadkeep/retention/decision.hpp"
#include "threadkeep/retention/time.hpp"
#include "threadkeep/retention_host.hpp"

namespace threadkeep::retention {

/// What decide() has to know of a thread that is there.
ThreadFacts facts_of(const ThreadRows& rows);

}  // namespace threadkeep::retention
