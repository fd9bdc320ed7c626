// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "connection.hpp"
#include "settings.hpp"
#include "threadkeep/call.hpp"

namespace threadkeep::redis {

/// Makes sure that the server behind a new connection can keep what the settings promise. `first`:
/// no other connection was checked before; what confirms every batch is tried once only. Throws
/// Error(unsupported) or Error(unavailable) with what has to be changed.
void check_durability(Connection& connection, const Settings& settings, bool first,
                      const Call& call);

/// The command that ends a batch of writes, by which the server confirms them; nothing where no
/// confirmation is asked for.
void add_confirmation(Pipeline& pipeline, const Settings& settings, const Server& server);
/// What is missing when the answer to that command does not confirm.
std::optional<std::string> unconfirmed(const Reply& reply, const Settings& settings);

}  // namespace threadkeep::redis
