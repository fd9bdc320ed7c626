// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "threadkeep/bytes.hpp"
#include "threadkeep/call.hpp"

namespace threadkeep {

/// Copies of what another store keeps, by key; see Backend::cache(). An entry may be gone at any
/// time, and an older one may be back after the server was restarted: whoever reads one must be
/// able to tell whether it still counts. Keys are any bytes, and meet nothing else that the store
/// holds. All functions are thread-safe, take one round trip and throw Error like those of Backend.
class ValueCache {
 public:
  virtual ~ValueCache() = default;
  ValueCache() = default;
  ValueCache(const ValueCache&) = delete;
  ValueCache& operator=(const ValueCache&) = delete;

  virtual std::optional<Bytes> get(std::string_view key, const Call& call) = 0;
  /// Replaces the value; it is gone after `keep`, which is at least a millisecond.
  virtual void set(std::string_view key, const Bytes& value, std::chrono::milliseconds keep,
                   const Call& call) = 0;
  /// An absent entry is no error.
  virtual void erase(std::string_view key, const Call& call) = 0;
};

}  // namespace threadkeep
