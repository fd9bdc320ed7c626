// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "threadkeep/metrics.hpp"

namespace threadkeep {

/// What the gauges of the process hold of one pool of connections; nothing after its end. Not
/// thread-safe.
class PoolGauges {
 public:
  explicit PoolGauges(const std::string& backend)
      : in_use_{connections(backend, "in_use")},
        idle_{connections(backend, "idle")},
        waiting_{Metrics::process()->gauge("threadkeep_pool_waiting",
                                           "Calls that wait for a connection.",
                                           {{"backend", backend}})} {}
  ~PoolGauges() { set(0, 0, 0); }
  PoolGauges(const PoolGauges&) = delete;
  PoolGauges& operator=(const PoolGauges&) = delete;

  void set(std::size_t in_use, std::size_t idle, std::size_t waiting) noexcept {
    in_use_.set(in_use);
    idle_.set(idle);
    waiting_.set(waiting);
  }

 private:
  struct Part {
    Gauge& gauge;
    std::size_t value = 0;

    void set(std::size_t now) noexcept {
      gauge.add(static_cast<std::int64_t>(now) - static_cast<std::int64_t>(value));
      value = now;
    }
  };

  static Gauge& connections(const std::string& backend, const char* state) {
    return Metrics::process()->gauge("threadkeep_pool_connections", "Connections of stores.",
                                     {{"backend", backend}, {"state", state}});
  }

  Part in_use_;
  Part idle_;
  Part waiting_;
};

}  // namespace threadkeep
