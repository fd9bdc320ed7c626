// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <threadkeep/threadkeep.hpp>

namespace threadkeep::cli {

/// The condition that --metadata names: "user=ada", "age=3", "vip=true"; what is no JSON is a
/// string. Throws Error(invalid_argument).
MetadataEquals metadata_condition(const std::string& text);

}  // namespace threadkeep::cli
