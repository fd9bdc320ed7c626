// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "threadkeep/backend.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep::redis {

/// When a write counts as stored.
enum class Durability {
  none,      ///< The server has it; what its own persistence makes of it is its business.
  replicas,  ///< So many replicas have it too.
  fsync,     ///< It is on the server's disk.
};

struct HostAndPort {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const HostAndPort&, const HostAndPort&) = default;
};

/// "host:port", or "[::1]:port".
std::string to_string(const HostAndPort& place);

/// Who knows the address of the server. Without hosts nobody is asked: it is in the URL.
struct Sentinels {
  std::vector<HostAndPort> hosts;
  std::string master;  ///< The name by which they know it.
  std::optional<std::string> user;
  std::optional<std::string> password;
};

/// What the URL of a store says.
struct Settings {
  bool tls = false;
  std::string host = "localhost";
  std::uint16_t port = 6379;
  std::string socket;   ///< The path of a unix socket, instead of host and port.
  Sentinels sentinels;  ///< These say which host and port.
  std::optional<std::string> user;
  std::optional<std::string> password;
  int database = 0;
  std::string prefix = "threadkeep";
  std::chrono::milliseconds ttl{0};  ///< 0: threads stay.
  Durability durability = Durability::none;
  int replicas = 0;
  std::chrono::milliseconds durability_timeout{5'000};
  std::size_t pool_size = 8;
  std::chrono::milliseconds pool_wait{5'000};
  std::chrono::milliseconds connect_timeout{5'000};
  /// Up to here values pass through scripts, in one command; larger ones are kept out of them, for
  /// scripts copy what they touch.
  std::size_t script_bytes = 16 * 1024;
  std::string tls_ca;    ///< A file; empty: those that the system trusts.
  std::string tls_cert;  ///< A file, with tls_key: who we are.
  std::string tls_key;

  FirstUse first_use = FirstUse::creates;  ///< Not of the URL.

  /// For messages; never a password.
  std::string place;
};

/// Takes everything that is known from the URL and calls finish() on it.
Settings read_settings(Url& url);

}  // namespace threadkeep::redis
