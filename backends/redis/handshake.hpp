// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "connection.hpp"
#include "sentinel.hpp"
#include "settings.hpp"
#include "threadkeep/call.hpp"

namespace threadkeep::redis {

/// Connects, logs in, chooses the database and looks at what kind of server this is. Throws Error:
/// denied, unsupported for a node of a cluster or a server that is too old, unavailable for a
/// replica.
std::unique_ptr<Connection> greet(const Settings& settings, const Call& call);

/// Greets the server, or the master that sentinels name, and looks at the format of the store; a
/// store that is new is marked. All within connect_timeout. Throws Error: as greet, and unsupported
/// for a format that is too new.
std::unique_ptr<Connection> open_connection(const Settings& settings, MasterFinder& finder,
                                            const Call& call);

}  // namespace threadkeep::redis
