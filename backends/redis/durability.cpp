// SPDX-License-Identifier: Apache-2.0
#include "durability.hpp"

#include <string_view>

#include "layout.hpp"

namespace threadkeep::redis {

namespace {

[[noreturn]] void refuse_fsync(const std::string& why) {
  throw Error(Code::unsupported, "durability=fsync: " + why);
}

Exchange exchange(Connection& connection, const Pipeline& pipeline, const Call& call) {
  Exchange answer = connection.exchange(pipeline, call);
  if (answer.failure) throw Error(*answer.failure);
  return answer;
}

std::string_view setting(const Reply& reply) {
  if (!reply.is_array() || reply.size() != 2) {
    refuse_fsync("the server has no WAITAOF, and does not tell its configuration");
  }
  return reply[1].view();
}

// Without WAITAOF an answer comes after the disk only when the server is set up so.
void check_configuration(Connection& connection, const Call& call) {
  Pipeline pipeline;
  pipeline.add({"CONFIG", "GET", "appendonly"});
  pipeline.add({"CONFIG", "GET", "appendfsync"});
  const Exchange answer = exchange(connection, pipeline, call);
  if (setting(answer.replies[0]) == "yes" && setting(answer.replies[1]) == "always") return;
  refuse_fsync("the server has no WAITAOF, so it needs appendonly yes and appendfsync always");
}

// Something is written that was there before, for with nothing new there is nothing to wait for.
void check_fsync(Connection& connection, const Settings& settings, bool first, const Call& call) {
  connection.server().has_waitaof = true;
  Pipeline pipeline;
  if (first) {
    pipeline.add({"HSET", meta_key(settings.prefix), "format", std::to_string(format_version)});
  }
  add_confirmation(pipeline, settings, connection.server());
  const Exchange answer = exchange(connection, pipeline, call);
  const Reply& reply = answer.replies.back();
  if (reply.is_error() && reply.view().find("unknown command") != std::string_view::npos) {
    connection.server().has_waitaof = false;
    return check_configuration(connection, call);
  }
  if (reply.is_error()) refuse_fsync("the server says: " + reply.text());
  if (!unconfirmed(reply, settings)) return;
  throw Error(Code::unavailable,
              "durability=fsync: the server did not write to its disk within durability_timeout; "
              "it needs appendfsync always, or everysec and more time");
}

void check_replicas(Connection& connection, const Settings& settings, const Call& call) {
  Pipeline pipeline;
  add_confirmation(pipeline, settings, connection.server());
  const Reply reply = connection.read(pipeline, call).front();
  if (!unconfirmed(reply, settings)) return;
  throw Error(Code::unavailable, "durability=replicas: only " + std::to_string(reply.integer()) +
                                     " of " + std::to_string(settings.replicas) +
                                     " replicas follow this server");
}

}  // namespace

void check_durability(Connection& connection, const Settings& settings, bool first,
                      const Call& call) {
  if (settings.durability == Durability::fsync) {
    check_fsync(connection, settings, first, call);
  } else if (settings.durability == Durability::replicas && first) {
    check_replicas(connection, settings, call);
  }
}

void add_confirmation(Pipeline& pipeline, const Settings& settings, const Server& server) {
  const auto patience = std::to_string(settings.durability_timeout.count());
  if (settings.durability == Durability::replicas) {
    pipeline.add({"WAIT", std::to_string(settings.replicas), patience});
  } else if (settings.durability == Durability::fsync && server.has_waitaof) {
    pipeline.add({"WAITAOF", "1", "0", patience});
  }
}

std::optional<std::string> unconfirmed(const Reply& reply, const Settings& settings) {
  const bool by_disk = settings.durability == Durability::fsync;
  const Reply count = by_disk && reply.is_array() ? reply[0] : reply;
  if (count.is_error()) return "the server says: " + count.text();
  if (!count.is_integer()) return "the server gave an answer of an unexpected kind";
  if (count.integer() >= (by_disk ? 1 : settings.replicas)) return {};
  if (by_disk) return "it was not written to the disk in time";
  return "only " + std::to_string(count.integer()) + " of " + std::to_string(settings.replicas) +
         " replicas confirmed it in time";
}

}  // namespace threadkeep::redis
