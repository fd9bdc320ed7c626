// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::testing {

class GuardedProcess;

/// A Postgres server of a test program's own: a new cluster in a temporary directory, on a free
/// port of 127.0.0.1. It ends with this object, and also when the program is killed.
///
/// Needs the programs of the server (Debian: `postgresql`) and no client library. What is missing
/// or does not start is a std::runtime_error that says so. When the program runs as root, the
/// server runs as the user `postgres`. Thread-safe but for start, stop and kill.
class PostgresServer {
 public:
  struct Options {
    /// Wait for the disk, as a server in production does. Otherwise fsync is off: enough unless a
    /// test pulls the plug.
    bool durable = false;
    /// More lines of postgresql.conf: {"max_connections", "20"}.
    std::vector<std::pair<std::string, std::string>> settings = {};
    /// A copy that follows that server, which must run, until promote().
    const PostgresServer* standby_of = nullptr;
  };

  enum class Stop {
    fast,       ///< Sessions are ended, then the server shuts down in order.
    immediate,  ///< Sessions are dropped; the next start recovers.
  };

  enum class Locale {
    bytewise,  ///< "C"
    icu,       ///< "en-US" of ICU: `a` before `B`, unlike the order of bytes.
  };

  /// The one server of this program for tests that neither stop it nor need the disk.
  static PostgresServer& shared();

  PostgresServer();
  explicit PostgresServer(const Options& options);
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// After stop() or kill(); on the same port. Returns when connections are accepted.
  void start();
  void stop(Stop how);
  /// SIGKILL for every process of the server, as when the machine goes down.
  void kill();
  /// Makes a primary of a standby; returns when it takes writes.
  void promote();
  /// As postgresql.conf would have it, and from now on: {"synchronous_standby_names", "'*'"}.
  void set(const std::string& name, const std::string& value);

  std::uint16_t port() const noexcept { return port_; }
  /// The user of url() owns the databases, and is no superuser.
  std::string url(const std::string& database = "store") const;
  std::string superuser_url(const std::string& database = "store") const;

  /// A new empty database, UTF-8; its name. Takes some 50 ms: see PostgresSchemas.
  std::string create_database(Locale locale = Locale::bytewise);
  /// Runs SQL as superuser by psql, each statement committed by itself; what it printed: rows as
  /// lines, columns separated by `|`. Starts a process: meant for few calls of many statements.
  std::string run(const std::string& sql, const std::string& database = "store") const;
  /// What the server wrote to its log.
  std::string log() const;
  /// PostgreSQL's major version: 15.
  int version() const;

 private:
  void initialize();
  void copy(const PostgresServer& primary);
  void write_settings(const Options& options);
  bool start_on(std::uint16_t port);
  bool is_ready() const;
  [[noreturn]] void fail_to_start() const;

  TemporaryDirectory directory_;
  std::filesystem::path data_;
  std::filesystem::path log_;
  std::uint16_t port_ = 0;
  std::unique_ptr<GuardedProcess> process_;
  std::mutex mutex_;
  int databases_ = 0;  // guarded by mutex_
};

/// Empty schemas in one database, for stores that share a server. They are made and dropped by the
/// dozen, because a process for each would cost more than most tests do. Thread-safe.
class PostgresSchemas {
 public:
  /// `tables` is SQL to run in each new schema, which is its search path.
  PostgresSchemas(PostgresServer& server, std::string database, std::string tables = {});

  /// The name of a schema that no other call has returned.
  std::string take();
  /// The schema may be dropped: nobody uses it any more.
  void give_back(std::string schema);
  /// "postgresql://...?schema=..."
  std::string url(const std::string& schema) const;

 private:
  void make_more();

  PostgresServer& server_;
  const std::string database_;
  const std::string tables_;
  std::mutex mutex_;
  int made_ = 0;
  std::vector<std::string> free_;
  std::vector<std::string> used_;
};

}  // namespace threadkeep::testing
