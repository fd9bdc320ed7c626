// SPDX-License-Identifier: Apache-2.0
#include "script_call.hpp"

#include <algorithm>

#include "error_map.hpp"

namespace threadkeep::redis {

namespace {

bool is_unknown_script(const Reply& reply) {
  return reply.is_error() && reply.view().starts_with("NOSCRIPT");
}

Exchange send(Connection& connection, const Script& script, const std::vector<ScriptCall>& calls,
              const Call& call, bool whole_text) {
  Pipeline pipeline;
  for (const auto& [keys, arguments] : calls) {
    std::vector<Argument> command{whole_text ? "EVAL" : "EVALSHA",
                                  whole_text ? script.text : script.digest,
                                  "6",
                                  keys.thread,
                                  keys.index,
                                  keys.registry,
                                  keys.deadlines,
                                  keys.orders,
                                  keys.tombstones};
    command.insert(command.end(), arguments.begin(), arguments.end());
    pipeline.add(command);
    whole_text = false;  // The first one has taught the server.
  }
  return connection.exchange(pipeline, call);
}

}  // namespace

std::vector<Reply> call_script(Connection& connection, const Script& script,
                               const std::vector<ScriptCall>& calls, const Call& call) {
  Exchange exchange = send(connection, script, calls, call, false);
  if (std::any_of(exchange.replies.begin(), exchange.replies.end(), is_unknown_script)) {
    if (!exchange.failure) exchange = send(connection, script, calls, call, true);
  }
  if (exchange.failure) throw Error(*exchange.failure);
  for (const Reply& reply : exchange.replies) checked(reply);
  return std::move(exchange.replies);
}

}  // namespace threadkeep::redis
