// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace threadkeep::postgres_test {

/// SQL that makes LangGraph's tables as its Postgres savers leave them after their migrations 0 to
/// `version` (9 is the newest; JavaScript's saver stops at 4). From 3 on all three tables exist.
std::string langgraph_tables(int version);

}  // namespace threadkeep::postgres_test
