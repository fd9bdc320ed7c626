// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "connection.hpp"
#include "layout.hpp"
#include "redis/scripts.hpp"
#include "threadkeep/call.hpp"

namespace threadkeep::redis {

/// A script that reads one thread.
struct ScriptCall {
  Keys keys;
  std::vector<std::string> arguments;
};

/// Calls a script that reads, for each of `calls`, in one round trip; in two where the server has
/// to be told its text. Throws the first error.
std::vector<Reply> call_script(Connection& connection, const Script& script,
                               const std::vector<ScriptCall>& calls, const Call& call);

}  // namespace threadkeep::redis
