// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace threadkeep::postgres {

/// Template of LangGraph's tables where none of them exists, with ids in the order of their bytes.
std::string all_langgraph_tables();

/// Template that makes those that are missing where LangGraph's setup() did not come to its end, as
/// it would make them itself, and brings those that exist to version 9.
std::string missing_langgraph_tables();

}  // namespace threadkeep::postgres
