// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "pipeline.hpp"

namespace threadkeep::postgres {

/// The number of the advisory lock of a thread: the first 8 bytes of a SHA-256 would do as well,
/// but this is in every put. All programs that write to one store must agree on it, so it is part
/// of the storage format: FNV-1a of the schema, a NUL and the thread_id, then MurmurHash3's
/// finaliser. Threads that share a number wait for each other sometimes, nothing worse.
std::int64_t lock_key(std::string_view schema, std::string_view thread_id) noexcept;

/// The locks that a transaction takes before all else, so that writers of a thread share it and
/// deletions have it for themselves. Taken in the order of their numbers, and before any row: two
/// transactions that take them cannot wait for each other in a circle. Not thread-safe.
class Locks {
 public:
  explicit Locks(std::string_view schema) : schema_(schema) {}

  void share(std::string_view thread_id) { want(thread_id, false); }
  void own(std::string_view thread_id) { want(thread_id, true); }
  /// Of the state that has a name, which no thread can have: a NUL comes before it.
  void own_name(std::string_view name) { want(std::string(1, '\0').append(name), true); }

  bool empty() const noexcept { return wanted_.empty(); }
  /// Adds the statement that waits for them. Statements after it see what the last holder left.
  void take(Pipeline& pipeline, const WriteStatements& statements) const;

 private:
  void want(std::string_view thread_id, bool own);

  std::string schema_;
  std::map<std::int64_t, bool> wanted_;  // by key; true: for itself
};

}  // namespace threadkeep::postgres
