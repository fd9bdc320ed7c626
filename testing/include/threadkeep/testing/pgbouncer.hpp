// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "threadkeep/testing/postgres_server.hpp"

namespace threadkeep::testing {

/// A PgBouncer of a test program's own, in front of a server that outlives it. It pools in
/// transaction mode: a client may get another connection of the server for each transaction.
///
/// Needs the Debian package `pgbouncer`; what is missing or does not start is a
/// std::runtime_error. Ends with this object, and when the program is killed.
class Pgbouncer {
 public:
  struct Options {
    int pool_size = 4;  ///< Connections to each database of the server.
  };

  explicit Pgbouncer(const PostgresServer& server);
  Pgbouncer(const PostgresServer& server, const Options& options);
  ~Pgbouncer();
  Pgbouncer(const Pgbouncer&) = delete;
  Pgbouncer& operator=(const Pgbouncer&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// As PostgresServer::url, through the pooler.
  std::string url(const std::string& database = "store") const;
  /// Ends it and starts it again on the same port; all its connections are lost.
  void restart();
  std::string log() const;

 private:
  void write_settings(const PostgresServer& server, const Options& options) const;
  void start();

  TemporaryDirectory directory_;
  std::filesystem::path log_;
  std::uint16_t port_ = 0;
  std::unique_ptr<GuardedProcess> process_;
};

}  // namespace threadkeep::testing
