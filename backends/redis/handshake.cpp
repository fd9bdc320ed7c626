// SPDX-License-Identifier: Apache-2.0
#include "handshake.hpp"

#include <algorithm>
#include <charconv>

#include "error_map.hpp"
#include "layout.hpp"
#include "redis/scripts.hpp"
#include "threadkeep/absent_store.hpp"

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
    if (key == "mode" && value == "sentinel") {
      throw Error(Code::invalid_argument,
                  "this server is a sentinel; write redis+sentinel://host:port/master");
    }
    if (key == "role" && value != "master") {
      throw Error(Code::unavailable, "this server is a replica; name the master", "READONLY");
    }
    if (key == "role") server.is_master = true;
  }
}

// HELLO came with version 6; a proxy may forbid it, and INFO too.
void ask_who_it_is(Connection& connection, const Call& call) {
  Server& server = connection.server();
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
    if (settings.first_use == FirstUse::refuses) {
      throw Error(Code::unavailable,
                  "there is no store at " + settings.place +
                      "; check the URL, or make a store there by `threadkeep setup`",
                  absent_store);
    }
    Pipeline pipeline;
    pipeline.add({"HSETNX", key, "format", std::to_string(format_version)});
    pipeline.add({"HSETNX", key, "buckets", std::to_string(buckets)});
    connection.read(pipeline, call);
    meta = read_meta(connection, key, call);
  }
  if (meta[0].view() == "1") {
    Pipeline pipeline;
    pipeline.add({"EVAL", scripts::take_up.text, "1", key});
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

}  // namespace

std::unique_ptr<Connection> greet(const Settings& settings, const Call& call) {
  auto connection = std::make_unique<Connection>(settings, call);
  log_in(*connection, settings, call);
  ask_who_it_is(*connection, call);
  return connection;
}

std::unique_ptr<Connection> open_connection(const Settings& settings, MasterFinder& finder,
                                            const Call& call) {
  Call patient = call;
  patient.deadline = std::min(call.deadline, Deadline::after(settings.connect_timeout));
  try {
    auto connection = settings.sentinels.hosts.empty() ? greet(settings, patient)
                                                       : finder.find(settings, patient);
    check_format(*connection, settings, patient);
    return connection;
  } catch (const Error& error) {
    // Where the call has time left, it is the server that took too long.
    if (error.code() != Code::timeout || call.deadline.passed()) throw;
    throw Error(Code::unavailable, settings.place + " does not answer within connect_timeout");
  }
}

}  // namespace threadkeep::redis
