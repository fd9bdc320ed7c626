// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// \file
/// How much a store holds.

namespace threadkeep {

struct StatsQuery {
  std::size_t largest = 10;  ///< How many of the largest threads.
  /// Look at everything, which may take as long as the store is large. Otherwise a store for which
  /// this would be much looks at a sample, and says so.
  bool exact = false;
};

/// What there is of one kind: "threads", "checkpoints", "blobs", "writes", "messages", "states" ...
struct EntityStats {
  std::string name;
  std::uint64_t rows = 0;
  /// What they take; absent where the store does not keep the kinds apart.
  std::optional<std::uint64_t> bytes;
};

struct ThreadSize {
  std::string thread_id;
  std::uint64_t checkpoints = 0;
  std::uint64_t bytes = 0;
};

struct StoreStats {
  /// True when rows and days are estimates, and the largest threads those of a sample.
  bool estimated = false;
  std::string method;  ///< What was looked at: "everything", "a sample of 1000 threads".
  std::vector<EntityStats> entities;
  /// Of disk or memory, with indexes and what is free inside; absent where it cannot be told.
  std::optional<std::uint64_t> stored_bytes;
  std::vector<ThreadSize> largest;  ///< By bytes, the largest one first.
  /// Midnight UTC in microseconds since 1970, and how many of the checkpoints that are there were
  /// made on that day. Only of those whose ids tell their time (see time_of_id).
  std::map<std::int64_t, std::uint64_t> checkpoints_by_day;
};

}  // namespace threadkeep
