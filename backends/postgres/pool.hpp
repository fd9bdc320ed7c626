// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "connection.hpp"

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
class Pool {
 public:
  explicit Pool(const Settings& settings);

  /// Throws `unavailable` when none came free within pool_wait, naming pool_size; `timeout` or
  /// `cancelled` when the call ended first.
  Lease take(const Call& call);

 private:
  friend class Lease;
  // To be filled in by the implementation.
};

}  // namespace threadkeep::postgres
