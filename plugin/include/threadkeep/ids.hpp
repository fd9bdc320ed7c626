// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "threadkeep/backend.hpp"

namespace threadkeep {

/// Makes checkpoint ids: UUIDs of version 6 (RFC 9562, section 5.6), whose text order is their time
/// order, as LangGraph makes them. Each id is greater than all before it from the same object, even
/// when the clock stands still or steps back. Thread-safe.
class CheckpointIds {
 public:
  explicit CheckpointIds(Environment environment = Environment::system());

  std::string next();

 private:
  Environment environment_;
  std::mutex mutex_;
  std::uint64_t last_ = 0;  // 100 ns since 1582-10-15
  std::uint64_t tail_;      // clock sequence and node: random, the same for all ids
};

/// The time in a UUID of version 6, as LangGraph's savers give to checkpoints: microseconds since
/// 1970 UTC. Empty for every other id.
std::optional<std::int64_t> time_of_id(std::string_view id) noexcept;

}  // namespace threadkeep
