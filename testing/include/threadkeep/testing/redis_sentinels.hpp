// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "threadkeep/testing/redis_server.hpp"

namespace threadkeep::testing {

/// Sentinels of a test program's own that watch a master, "mymaster", and its replicas; a majority
/// decides, after the master was silent for half a second. They end with this object. What does not
/// start or agree is a std::runtime_error that says so. Not thread-safe.
class RedisSentinels {
 public:
  struct Options {
    std::size_t count = 3;
    /// More lines of each one's configuration.
    std::vector<std::pair<std::string, std::string>> settings = {};
  };

  /// Returns when all know each other and that many replicas, which must follow the master already.
  RedisSentinels(const RedisServer& master, std::size_t replicas);
  RedisSentinels(const RedisServer& master, std::size_t replicas, const Options& options);

  /// "redis+sentinel://127.0.0.1:PORT,127.0.0.1:PORT/mymaster/0", and parameters after a `?`.
  std::string url(const std::string& parameters = {}) const;
  /// The port of the master, as the sentinel says.
  std::uint16_t master_port(std::size_t sentinel = 0) const;
  /// Asks for a failover without a reason; returns when it has begun.
  void fail_over();

  RedisServer& operator[](std::size_t i) { return *sentinels_[i]; }

 private:
  bool agree(const RedisServer& sentinel, std::size_t replicas) const;

  std::vector<std::unique_ptr<RedisServer>> sentinels_;
};

}  // namespace threadkeep::testing
