// SPDX-License-Identifier: Apache-2.0
#include "sentinel.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

#include "error_map.hpp"
#include "handshake.hpp"

namespace threadkeep::redis {

namespace {

Settings settings_of(const Settings& settings, const HostAndPort& server) {
  Settings one = settings;
  one.host = server.host;
  one.port = server.port;
  one.place = to_string(server);
  return one;
}

// So that as much is left for each step to come.
Call share_of(const Call& call, std::size_t steps_to_come) {
  if (call.deadline.is_never()) return call;
  const auto parts = static_cast<std::int64_t>(steps_to_come + 1);
  return {Deadline::after(call.deadline.left() / parts), call.stop};
}

HostAndPort read_address(const Reply& reply, const std::string& master) {
  if (reply.is_nil()) {
    throw Error(Code::invalid_argument,
                "it knows no master '" + master + "'; check the name at the end of the URL");
  }
  if (reply.is_error() && reply.view().find("unknown command") != std::string_view::npos) {
    throw Error(Code::invalid_argument, "it is no sentinel; these listen on a port of their own");
  }
  checked(reply);
  if (!reply.is_array() || reply.size() != 2) {
    throw Error(Code::unavailable, "it gave an answer of an unexpected kind");
  }
  HostAndPort address{reply[0].text(), 0};
  const auto port = reply[1].view();
  std::from_chars(port.data(), port.data() + port.size(), address.port);
  return address;
}

void log_in(Pipeline& pipeline, const Sentinels& sentinels) {
  if (!sentinels.password) return;
  if (sentinels.user) {
    pipeline.add({"AUTH", *sentinels.user, *sentinels.password});
  } else {
    pipeline.add({"AUTH", *sentinels.password});
  }
}

Error refused(const Reply& reply) {
  return Error(Code::denied,
               "it says: " + reply.text() + "; check sentinel_user and sentinel_password",
               make_error(reply.view()).native());
}

HostAndPort ask(const Settings& settings, const HostAndPort& sentinel, const Call& call) {
  Connection connection(settings_of(settings, sentinel), call);
  Pipeline pipeline;
  log_in(pipeline, settings.sentinels);
  pipeline.add({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", settings.sentinels.master});
  const Exchange answers = connection.exchange(pipeline, call);
  if (answers.failure) throw Error(*answers.failure);
  for (const Reply& reply : answers.replies) {
    if (reply.is_error() && make_error(reply.view()).code() == Code::denied) throw refused(reply);
  }
  return read_address(answers.replies.back(), settings.sentinels.master);
}

std::unique_ptr<Connection> greet_master(const Settings& settings, const HostAndPort& master,
                                         const Call& call) {
  auto connection = greet(settings_of(settings, master), call);
  if (connection->server().is_master) return connection;
  throw Error(Code::denied, to_string(master) +
                                " does not say whether it is the master; allow HELLO to the user");
}

// Another sentinel may name another server.
bool is_absent(const Error& error) {
  return error.code() == Code::unavailable || error.code() == Code::timeout;
}

// What was found out so far.
class Answers {
 public:
  void add(const HostAndPort& sentinel, Code code, const std::string& text) {
    code_ = said_.empty() || code_ == code ? code : Code::unavailable;
    said_ += "; " + to_string(sentinel) + ": " + text;
  }
  void add(const HostAndPort& sentinel, const Error& error, const std::string& before = {}) {
    const bool late = error.code() == Code::timeout;
    add(sentinel, late ? Code::unavailable : error.code(),
        before + (late ? "it does not answer" : error.message()));
  }
  Error error(const Sentinels& sentinels) const {
    return Error(code_, "no sentinel leads to the master '" + sentinels.master + "'" + said_);
  }

 private:
  std::string said_;
  Code code_ = Code::unavailable;
};

}  // namespace

std::vector<HostAndPort> MasterFinder::order() const {
  const std::lock_guard lock(mutex_);
  return order_;
}

void MasterFinder::prefer(const HostAndPort& sentinel) {
  const std::lock_guard lock(mutex_);
  const auto at = std::find(order_.begin(), order_.end(), sentinel);
  if (at != order_.end()) std::rotate(order_.begin(), at, at + 1);
}

std::unique_ptr<Connection> MasterFinder::find(const Settings& settings, const Call& call) {
  const auto sentinels = order();
  Answers answers;
  std::vector<HostAndPort> absent;
  for (std::size_t i = 0; i < sentinels.size(); ++i) {
    const HostAndPort& sentinel = sentinels[i];
    const std::size_t left = sentinels.size() - i;
    HostAndPort master;
    try {
      master = ask(settings, sentinel, share_of(call, left));
    } catch (const Error& error) {
      if (error.code() == Code::cancelled || call.deadline.passed()) throw;
      answers.add(sentinel, error);
      continue;
    }
    const std::string named = "it names " + to_string(master);
    if (std::find(absent.begin(), absent.end(), master) != absent.end()) {
      answers.add(sentinel, Code::unavailable, named + " too");
      continue;
    }
    try {
      auto connection = greet_master(settings, master, share_of(call, left - 1));
      connection->server().found_by =
          "sentinel " + to_string(sentinel) + " names " + to_string(master);
      prefer(sentinel);
      return connection;
    } catch (const Error& error) {
      if (!is_absent(error) || call.deadline.passed()) throw;
      answers.add(sentinel, error, named + ": ");
      absent.push_back(master);
    }
  }
  throw answers.error(settings.sentinels);
}

}  // namespace threadkeep::redis
