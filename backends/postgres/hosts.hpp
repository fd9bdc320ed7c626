// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "keywords.hpp"
#include "threadkeep/call.hpp"
#include "waiter.hpp"

namespace threadkeep::postgres {

/// One server of a list. All empty: libpq is left to find it (a service, its default).
struct Host {
  std::string name;     ///< Or the directory of a Unix socket.
  std::string address;  ///< Numeric; empty when the name has to be looked up.
  std::string port;
};

/// The hosts that the keywords name, in the order in which to try them.
/// Throws Error(invalid_argument) when the lists do not fit together or leave a host out.
std::vector<Host> hosts_of(const Keywords& keywords);

/// `host` once for each address that its name has; itself when there is nothing to look up. The
/// system's resolver may block for long, so it runs in a thread of its own, which is left behind
/// when the deadline passes first. Throws Error(unavailable) when there is none, Error(timeout),
/// Error(cancelled).
std::vector<Host> resolve(const Host& host, Waiter& waiter, const Deadline& deadline);

}  // namespace threadkeep::postgres
