// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "connection.hpp"
#include "settings.hpp"
#include "threadkeep/call.hpp"

namespace threadkeep::redis {

/// What a server says about itself. Empty where a proxy does not let us ask.
struct Server {
  std::string name;     ///< "redis", "valkey"
  std::string version;  ///< "7.0.15"
  int major = 0;
  int minor = 0;

  bool at_least(int wanted_major, int wanted_minor) const noexcept {
    return major > wanted_major || (major == wanted_major && minor >= wanted_minor);
  }
};

/// Connects, logs in, chooses the database, looks at what kind of server this is and at the format
/// of the store; a store that is new is marked. Throws Error: denied, unsupported for a node of a
/// cluster, a server that is too old or a format that is too new, unavailable for a replica.
std::unique_ptr<Connection> open_connection(const Settings& settings, const Call& call,
                                            Server& server);

/// Makes sure that the server can keep what the settings promise about durability; throws
/// Error(unsupported) or Error(unavailable) with what has to be changed.
void check_durability(Connection& connection, const Settings& settings, const Server& server,
                      const Call& call);

/// The command that ends a batch of writes, by which the server confirms them; nothing for `none`.
void add_confirmation(Pipeline& pipeline, const Settings& settings, const Server& server);
/// Whether it did.
bool is_confirmed(const Reply& reply, const Settings& settings);

}  // namespace threadkeep::redis
