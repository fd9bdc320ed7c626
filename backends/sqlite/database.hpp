// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "connection.hpp"
#include "fork_guard.hpp"

namespace threadkeep::sqlite {

/// Connections of one kind, opened when needed and kept. Thread-safe.
class Pool {
 public:
  explicit Pool(std::size_t capacity) : capacity_(capacity) {}

  /// A connection that is idle, or null for the right to open a new one. Waits while all are in
  /// use; throws Error when the call's time is up.
  std::unique_ptr<Connection> take(const Call& call);
  /// Gives back a connection, or with null the right to have one.
  void give(std::unique_ptr<Connection> connection) noexcept;

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t in_use_ = 0;
};

/// A connection taken from a pool for one call; given back when this goes, closed if it is broken.
class Lease {
 public:
  Lease(Pool& pool, std::unique_ptr<Connection> connection) noexcept
      : pool_(&pool), connection_(std::move(connection)) {}
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  Connection& operator*() const noexcept { return *connection_; }
  Connection* operator->() const noexcept { return connection_.get(); }

 private:
  Pool* pool_;
  std::unique_ptr<Connection> connection_;
};

/// The file: one connection that writes and a few that read, for readers do not wait for a writer.
/// Nothing is opened before the first use, which also creates the tables or refuses to.
/// Thread-safe. Must not be destroyed in a forked child, where other threads may have been waiting
/// at the fork.
class Database {
 public:
  explicit Database(Settings settings)
      : settings_(std::move(settings)), first_use_(settings_.first_use) {}

  Lease write(const Call& call);
  Lease read(const Call& call);
  /// Makes the store where there is none, whatever the settings say of the first use.
  void setup(const Call& call);

 private:
  Lease lease(Pool& pool, Connection::Purpose purpose, const Call& call);
  std::unique_ptr<Connection> open(Connection::Purpose purpose, const Call& call);

  const Settings settings_;
  ForkGuard fork_guard_;
  std::atomic<FirstUse> first_use_;
  std::atomic<bool> set_up_{false};
  Pool writers_{1};
  Pool readers_{8};
};

}  // namespace threadkeep::sqlite
