// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>

namespace threadkeep::cli {

/// From now on SIGINT and SIGTERM ask this token to stop instead of ending the process. To be
/// called once, before other threads start.
std::stop_token stop_on_interrupt();

}  // namespace threadkeep::cli
