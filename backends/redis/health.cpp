// SPDX-License-Identifier: Apache-2.0
#include "health.hpp"

#include <string>
#include <string_view>

#include "info.hpp"

namespace threadkeep::redis {

namespace {

std::string describe(const Server& server, const Settings& settings) {
  std::string text = server.name.empty() ? "server" : server.name;
  if (!server.version.empty()) text += " " + server.version;
  text += " at " + settings.place;
  if (!server.found_by.empty()) text += "; " + server.found_by;
  text += ", durability ";
  switch (settings.durability) {
    case Durability::none:
      return text + "none";
    case Durability::replicas:
      return text + "replicas " + std::to_string(settings.replicas);
    case Durability::fsync:
      return text + "fsync";
  }
  return text;
}

// Every policy but noeviction takes keys one by one, and a thread has two.
void look_at_eviction(const Reply& reply, Health& health) {
  const Info info(reply.is_text() ? reply.view() : std::string_view());
  const std::string policy = info.text("maxmemory_policy");
  if (policy.empty()) {  // A proxy or the access list forbids the question.
    health.detail += "; maxmemory-policy could not be checked: it must be noeviction";
    return;
  }
  if (policy == "noeviction") return;
  const bool in_force = info.number("maxmemory") != 0;
  health.ok = !in_force;
  health.detail += "; maxmemory-policy " + policy +
                   (in_force ? " may take parts of threads away: set noeviction"
                             : " would take parts of threads away if maxmemory were set");
}

}  // namespace

Health look(Database& database, const Call& call) {
  const Lease connection = database.lease(call);
  Pipeline pipeline;
  pipeline.add({"PING"});
  pipeline.add({"INFO", "memory"});
  const Exchange answers = connection->exchange(pipeline, call);
  if (answers.failure) throw Error(*answers.failure);
  Health health{!answers.replies[0].is_error(),
                describe(connection->server(), database.settings())};
  if (!health.ok) health.detail += "; the server says: " + answers.replies[0].text();
  look_at_eviction(answers.replies[1], health);
  return health;
}

}  // namespace threadkeep::redis
