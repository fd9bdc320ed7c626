// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "connection.hpp"
#include "pool_gauges.hpp"
#include "sentinel.hpp"
#include "settings.hpp"

namespace threadkeep::redis {

class Database;

/// A connection for the time of one use; goes back to the database unless it is broken.
class Lease {
 public:
  Lease(Database& database, std::unique_ptr<Connection> connection)
      : database_(&database), connection_(std::move(connection)) {}
  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  Connection& operator*() const noexcept { return *connection_; }
  Connection* operator->() const noexcept { return connection_.get(); }

 private:
  Database* database_;
  std::unique_ptr<Connection> connection_;
};

/// A store on a server and its connections: opened when needed, at most pool_size, the last one
/// used is lent first. When an idle one turns out to be dead, all that are idle are closed: the
/// server was restarted. So they are when the server says that it is a replica now, and with
/// sentinels when it does not answer: it may be gone, and the next connection asks them for the
/// master. Thread-safe.
class Database {
 public:
  explicit Database(Settings settings);

  /// Throws `unavailable` when no connection came free within pool_wait, naming pool_size.
  Lease lease(const Call& call);
  /// Makes the store where there is none, whatever the settings say of the first use.
  void setup(const Call& call);
  const Settings& settings() const noexcept { return settings_; }

 private:
  friend class Lease;
  using Idle = std::vector<std::unique_ptr<Connection>>;

  std::unique_ptr<Connection> take_idle(Idle& dead);
  void wait_for_room(std::unique_lock<std::mutex>& lock, const Call& call);
  std::unique_ptr<Connection> open(const Settings& settings, const Call& call);
  void count() noexcept;  // under the lock
  void give_back(std::unique_ptr<Connection> connection) noexcept;

  const Settings settings_;
  MasterFinder finder_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Idle idle_;             // guarded by mutex_, as all that follows
  std::size_t lent_ = 0;  // and being opened
  std::size_t waiting_ = 0;
  PoolGauges gauges_{"redis"};
  bool durability_checked_ = false;
};

}  // namespace threadkeep::redis
