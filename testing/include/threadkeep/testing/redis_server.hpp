// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "threadkeep/testing/backend_spec.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::testing {

class GuardedProcess;

/// A Redis or Valkey server of a test program's own, on a free port of 127.0.0.1 and on a unix
/// socket, in a temporary directory. It ends with this object, and also when the program is killed.
///
/// Needs the program of the server (Debian: `redis-server` or `valkey-server`; another one can be
/// named by the environment variable THREADKEEP_REDIS_SERVER) and no client library. What is
/// missing or does not start is a std::runtime_error that says so. Thread-safe but for start and
/// kill.
class RedisServer {
 public:
  struct Options {
    /// Every write waits for the disk: appendonly yes, appendfsync always, aof-load-truncated no.
    /// Otherwise nothing is ever written.
    bool durable = false;
    /// Also listens with TLS, with a certificate for "localhost" that ca_file() vouches for.
    bool tls = false;
    /// The certificate was good until yesterday.
    bool tls_expired = false;
    /// It is a sentinel, and keeps nothing; `settings` name its master.
    bool sentinel = false;
    /// More lines of redis.conf: {"requirepass", "secret"}.
    std::vector<std::pair<std::string, std::string>> settings = {};
  };

  /// The one server of this program for tests that do not stop it and use prefixes of their own.
  static RedisServer& shared();

  RedisServer();
  explicit RedisServer(Options options);
  ~RedisServer();
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  /// After kill(); on the same port. Returns when connections are accepted.
  void start();
  /// SIGKILL, as when the machine goes down.
  void kill();
  /// After kill() of a durable server: takes from its append-only file what was written in part.
  void repair();

  std::uint16_t port() const noexcept { return port_; }
  std::uint16_t tls_port() const noexcept { return tls_port_; }
  /// All files of the server, its data among them.
  std::filesystem::path directory() const { return directory_.path(); }
  std::filesystem::path socket() const { return directory_.path() / "socket"; }
  std::filesystem::path ca_file() const { return directory_.path() / "ca.crt"; }
  /// The server's own certificate and its key, as a client may show them too.
  std::filesystem::path certificate() const { return directory_.path() / "server.crt"; }
  std::filesystem::path key() const { return directory_.path() / "server.key"; }
  /// "redis://127.0.0.1:PORT/0", and parameters after a `?` when there are any.
  std::string url(const std::string& parameters = {}) const;
  /// "redis+unix:///tmp/xyz/socket"
  std::string unix_url(const std::string& parameters = {}) const;

  /// Runs one command by redis-cli; what it printed, without the line's end.
  std::string run(std::vector<std::string> command) const;
  std::string log() const;

 private:
  void write_settings(const Options& options);
  void make_certificates();
  bool start_on_ports();
  bool is_ready() const;

  TemporaryDirectory directory_;
  const Options options_;
  std::uint16_t port_ = 0;
  std::uint16_t tls_port_ = 0;
  std::size_t log_before_ = 0;  ///< The bytes of earlier starts.
  std::unique_ptr<GuardedProcess> process_;
};

/// Stores on RedisServer::shared(), each with a prefix of its own.
BackendSpec redis_backend();

}  // namespace threadkeep::testing
