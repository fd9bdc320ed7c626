// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "connection.hpp"
#include "settings.hpp"
#include "threadkeep/call.hpp"

namespace threadkeep::redis {

/// Connects, logs in, chooses the database, looks at what kind of server this is and at the format
/// of the store; a store that is new is marked. All within connect_timeout. Throws Error: denied,
/// unsupported for a node of a cluster, a server that is too old or a format that is too new,
/// unavailable for a replica.
std::unique_ptr<Connection> open_connection(const Settings& settings, const Call& call);

}  // namespace threadkeep::redis
