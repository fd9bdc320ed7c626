// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>

#include "fork_locks.hpp"
#include "threadkeep/value_cache.hpp"

namespace threadkeep::memory {

/// Entries in this process, at most most_bytes of them; those go first that were used least of
/// late. Thread-safe.
class MemoryValueCache final : public ValueCache {
 public:
  static constexpr std::size_t most_bytes = std::size_t{256} << 20;

  /// `now` is Environment::now.
  explicit MemoryValueCache(std::function<std::int64_t()> now) : now_(std::move(now)) {}

  std::optional<Bytes> get(std::string_view key, const Call& call) override;
  void set(std::string_view key, const Bytes& value, std::chrono::milliseconds keep,
           const Call& call) override;
  void erase(std::string_view key, const Call& call) override;

 private:
  struct Entry {
    std::string key;
    Bytes value;
    std::int64_t until;  // microseconds since 1970
  };
  using Entries = std::list<Entry>;  // the last used first

  void drop(Entries::iterator entry);

  const std::function<std::int64_t()> now_;
  OwnProcess<std::mutex> mutex_;
  Entries entries_;                                               // guarded by mutex_
  std::map<std::string, Entries::iterator, std::less<>> places_;  // guarded by mutex_
  std::size_t bytes_ = 0;                                         // guarded by mutex_
};

}  // namespace threadkeep::memory
