// SPDX-License-Identifier: Apache-2.0
#include "handshake.hpp"

#include <charconv>

#include "error_map.hpp"
#include "layout.hpp"

namespace threadkeep::redis {

namespace {

int take_number(std::string_view& text) {
  int value = 0;
  const auto end = text.data() + text.size();
  const auto at = std::from_chars(text.data(), end, value).ptr;
  text = std::string_view(at, static_cast<std::size_t>(end - at));
  if (text.starts_with('.')) text.remove_prefix(1);
  return value;
}

void set_version(Server& server, std::string_view version) {
  server.version = std::string(version);
  server.major = take_number(version);
  server.minor = take_number(version);
}

// The value of a line "name:value" of INFO; empty when there is none.
std::string_view info_value(std::string_view info, std::string_view name) {
  const std::string start = std::string(name) + ":";
  for (auto at = info.find(start); at != std::string_view::npos; at = info.find(start, at + 1)) {
    if (at != 0 && info[at - 1] != '\n') continue;
    const auto value = info.substr(at + start.size());
    return value.substr(0, value.find_first_of("\r\n"));
  }
  return {};
}

void log_in(Connection& connection, const Settings& settings, const Call& call) {
  Pipeline pipeline;
  if (settings.password && settings.user) {
    pipeline.add({"AUTH", *settings.user, *settings.password});
  } else if (settings.password) {
    pipeline.add({"AUTH", *settings.password});
  }
  if (settings.database != 0) pipeline.add({"SELECT", std::to_string(settings.database)});
  if (!pipeline.empty()) connection.read(pipeline, call);
}

void read_hello(const Reply& hello, Server& server) {
  for (std::size_t i = 0; i + 1 < hello.size(); i += 2) {
    const auto key = hello[i].view();
    if (!hello[i + 1].is_text()) continue;
    const auto value = hello[i + 1].view();
    if (key == "server") server.name = std::string(value);
    if (key == "version") set_version(server, value);
    if (key == "mode" && value == "cluster") {
      throw Error(Code::unsupported,
                  "this server is a node of a cluster, and clusters are not supported yet");
    }
    if (key == "role" && value != "master") {
      throw Error(Code::unavailable, "this server is a replica; name the master", "READONLY");
    }
  }
}

// HELLO came with version 6; a proxy may forbid it, and INFO too.
void ask_who_it_is(Connection& connection, const Call& call, Server& server) {
  Pipeline pipeline;
  pipeline.add({"HELLO", "2"});
  pipeline.add({"INFO", "server"});
  Exchange answers = connection.exchange(pipeline, call);
  if (answers.failure) throw Error(*answers.failure);
  const Reply& hello = answers.replies[0];
  const Reply& info = answers.replies[1];
  if (hello.is_error() && hello.view().starts_with("NOAUTH")) throw make_error(hello.view());
  if (hello.is_array()) read_hello(hello, server);
  if (server.version.empty() && info.is_text()) {
    set_version(server, info_value(info.view(), "redis_version"));
  }
  if (server.version.empty() || server.at_least(6, 2)) return;
  throw Error(Code::unsupported,
              "this server is of version " + server.version + "; threadkeep needs 6.2 or newer");
}

Reply read_meta(Connection& connection, const std::string& key, const Call& call) {
  Pipeline pipeline;
  pipeline.add({"HMGET", key, "format", "buckets"});
  return connection.read(pipeline, call).front();
}

void check_format(Connection& connection, const Settings& settings, const Call& call) {
  const std::string key = meta_key(settings.prefix);
  Reply meta = read_meta(connection, key, call);
  if (meta[0].is_nil()) {
    Pipeline pipeline;
    pipeline.add({"HSETNX", key, "format", std::to_string(format_version)});
    pipeline.add({"HSETNX", key, "buckets", std::to_string(buckets)});
    connection.read(pipeline, call);
    meta = read_meta(connection, key, call);
  }
  if (meta[0].view() == std::to_string(format_version) &&
      meta[1].view() == std::to_string(buckets)) {
    return;
  }
  throw Error(Code::unsupported, "the store has format " + meta[0].text() + " with " +
                                     meta[1].text() + " buckets; this threadkeep serves format " +
                                     std::to_string(format_version) + " with " +
                                     std::to_string(buckets));
}

[[noreturn]] void refuse_fsync(const std::string& why) {
  throw Error(Code::unsupported, "durability=fsync: " + why);
}

std::string config(Connection& connection, const char* name, const Call& call) {
  Pipeline pipeline;
  pipeline.add({"CONFIG", "GET", name});
  Exchange answer = connection.exchange(pipeline, call);
  if (answer.failure) throw Error(*answer.failure);
  const Reply& reply = answer.replies.front();
  if (reply.is_error() || reply.size() != 2) {
    refuse_fsync("the server does not tell its configuration, and has no WAITAOF");
  }
  return reply[1].text();
}

void check_fsync(Connection& connection, const Server& server, const Settings& settings,
                 const Call& call) {
  if (!server.at_least(7, 2)) {
    if (config(connection, "appendonly", call) != "yes" ||
        config(connection, "appendfsync", call) != "always") {
      refuse_fsync("before version 7.2 the server needs appendonly yes and appendfsync always");
    }
    return;
  }
  Pipeline pipeline;
  add_confirmation(pipeline, settings, server);
  Exchange answer = connection.exchange(pipeline, call);
  if (answer.failure) throw Error(*answer.failure);
  const Reply& reply = answer.replies.front();
  if (reply.is_error()) refuse_fsync("the server says: " + reply.text());
  if (!is_confirmed(reply, settings)) refuse_fsync("the server needs appendonly yes");
}

void check_replicas(Connection& connection, const Server& server, const Settings& settings,
                    const Call& call) {
  Pipeline pipeline;
  add_confirmation(pipeline, settings, server);
  const Reply reply = connection.read(pipeline, call).front();
  if (is_confirmed(reply, settings)) return;
  throw Error(Code::unavailable, "durability=replicas: only " + std::to_string(reply.integer()) +
                                     " of " + std::to_string(settings.replicas) +
                                     " replicas follow this server");
}

}  // namespace

std::unique_ptr<Connection> open_connection(const Settings& settings, const Call& call,
                                            Server& server) {
  auto connection = std::make_unique<Connection>(settings, call);
  log_in(*connection, settings, call);
  ask_who_it_is(*connection, call, server);
  check_format(*connection, settings, call);
  return connection;
}

void check_durability(Connection& connection, const Settings& settings, const Server& server,
                      const Call& call) {
  if (settings.durability == Durability::fsync) check_fsync(connection, server, settings, call);
  if (settings.durability == Durability::replicas) {
    check_replicas(connection, server, settings, call);
  }
}

void add_confirmation(Pipeline& pipeline, const Settings& settings, const Server& server) {
  const auto patience = std::to_string(settings.durability_timeout.count());
  if (settings.durability == Durability::replicas) {
    pipeline.add({"WAIT", std::to_string(settings.replicas), patience});
  }
  // Before 7.2 an answer comes after the disk when appendfsync is always, which was checked.
  if (settings.durability == Durability::fsync && server.at_least(7, 2)) {
    pipeline.add({"WAITAOF", "1", "0", patience});
  }
}

bool is_confirmed(const Reply& reply, const Settings& settings) {
  if (reply.is_error()) return false;
  if (settings.durability == Durability::replicas) return reply.integer() >= settings.replicas;
  return reply[0].integer() >= 1;
}

}  // namespace threadkeep::redis
