// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "exit_status.hpp"

namespace threadkeep::cli {

/// Does the work of a command of migrate-tier; its errors become a Refusal with the status that the
/// page about it promises. `nothing`: what has not been done where it could not even begin.
ExitStatus or_refusal(const std::string& nothing, const std::function<ExitStatus()>& work);

}  // namespace threadkeep::cli
