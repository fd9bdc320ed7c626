// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <asio/ip/tcp.hpp>
#include <vector>

#include "settings.hpp"
#include "threadkeep/call.hpp"

namespace threadkeep::redis {

/// The addresses of the host. The system's look-up knows no deadline, so it runs on a thread of its
/// own that is left behind when the call ends first. Throws Error.
std::vector<asio::ip::tcp::endpoint> resolve(const Settings& settings, const Call& call);

}  // namespace threadkeep::redis
