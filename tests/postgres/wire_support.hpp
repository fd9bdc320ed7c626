// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "postgres/connection.hpp"
#include "threadkeep/testing/postgres_server.hpp"

/// \file
/// What the tests of connections share.

namespace threadkeep::postgres_test {

using postgres::Connection;
using postgres::Effect;
using postgres::Parameters;
using postgres::Request;
using postgres::Result;
using postgres::Settings;
using postgres::Statement;

Settings settings_of(const std::string& url);

/// The URL with one more parameter.
std::string with(const std::string& url, const std::string& parameter);

/// The error that a call ends with; fails the test when there is none.
Error error_of(const std::function<void()>& call);

std::chrono::milliseconds duration_of(const std::function<void()>& call);

Call call_within(std::chrono::milliseconds time);

/// The only value of a query, which is a text.
std::string ask(Connection& connection, const std::string& sql);

bool contains(const std::string& text, std::string_view part);

/// Sets a variable of the environment and puts it back.
class Variable {
 public:
  Variable(std::string name, const std::string& value);
  ~Variable();
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  std::string name_;
  std::optional<std::string> before_;
};

/// Listens on a port of 127.0.0.1, lets the system accept connections, and never says a word.
class SilentListener {
 public:
  SilentListener();
  ~SilentListener();
  SilentListener(const SilentListener&) = delete;
  SilentListener& operator=(const SilentListener&) = delete;

  std::string port() const { return std::to_string(port_); }
  /// The socket that it listens on.
  int socket() const noexcept { return socket_; }

 private:
  int socket_;
  int port_ = 0;
};

}  // namespace threadkeep::postgres_test
