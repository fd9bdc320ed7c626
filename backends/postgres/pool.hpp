// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "connection.hpp"
#include "fork_guard.hpp"
#include "pool_gauges.hpp"

namespace threadkeep::postgres {

class Pool;

/// A connection for the time of one use; goes back to its pool, rolled back if it has to be.
class Lease {
 public:
  Lease(Pool& pool, std::unique_ptr<Connection> connection);
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  Connection& operator*() const noexcept { return *connection_; }
  Connection* operator->() const noexcept { return connection_.get(); }

 private:
  Pool* pool_;
  std::unique_ptr<Connection> connection_;
};

/// The connections of one store: opened when needed, at most Settings::pool_size. Thread-safe.
///
/// The last one used is lent first, so that a quiet store needs few. One that was idle for long is
/// tried before it is lent; one past its lifetime (each with a little spread) is closed instead of
/// kept. A dead one is replaced, and when it died with the server, so are all that are idle.
///
/// `settings` must live as long. In a forked child the pool lends nothing, and its end leaves the
/// parent's connections alone.
class Pool {
 public:
  explicit Pool(const Settings& settings);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// Throws `unavailable` when none came free within pool_wait, naming pool_size; `timeout` or
  /// `cancelled` when the call ended first.
  Lease take(const Call& call);

 private:
  friend class Lease;

  using Clock = std::chrono::steady_clock;

  struct Idle {
    std::unique_ptr<Connection> connection;
    Clock::time_point since;
  };

  /// One of the pool_size places; free again unless a lease takes it over.
  class Place;

  void wait_for_place(const Call& call);
  void free_place() noexcept;
  void count() noexcept;  // under the lock
  Idle pop_idle();
  bool is_fit(Idle& idle, const Call& call);
  bool answers(Idle& idle, const Call& call);
  void drop_dead() noexcept;
  void drop_unused_since(Clock::time_point time) noexcept;
  void give(std::unique_ptr<Connection> connection) noexcept;
  bool is_expired(const Connection& connection) const noexcept;

  const Settings& settings_;
  ForkGuard fork_guard_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::size_t lent_ = 0;
  std::size_t waiting_ = 0;
  std::vector<Idle> idle_;     // the last one was used last
  Clock::time_point suspect_;  // whoever was idle at this time is tried before it is lent
  PoolGauges gauges_{"postgres"};
};

}  // namespace threadkeep::postgres
