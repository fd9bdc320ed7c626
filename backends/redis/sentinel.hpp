// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "connection.hpp"
#include "settings.hpp"
#include "threadkeep/call.hpp"

namespace threadkeep::redis {

/// Connects to the server that sentinels name as the master. Each connection asks anew, so that a
/// failover is followed as soon as the connections from before are gone. The sentinel that led to
/// the master the last time is asked first. Thread-safe.
class MasterFinder {
 public:
  explicit MasterFinder(const Sentinels& sentinels) : order_(sentinels.hosts) {}

  /// A greeted connection, see handshake.hpp. A sentinel that is silent, or names a server that is,
  /// leaves time for the others. Throws what all of them said when none leads to a server that says
  /// it is the master: `unavailable`, or the code that all gave. Throws at once what a master
  /// answers that refuses us, and `timeout` at the deadline.
  std::unique_ptr<Connection> find(const Settings& settings, const Call& call);

 private:
  std::vector<HostAndPort> order() const;
  void prefer(const HostAndPort& sentinel);

  mutable std::mutex mutex_;
  std::vector<HostAndPort> order_;  // guarded by mutex_
};

}  // namespace threadkeep::redis
