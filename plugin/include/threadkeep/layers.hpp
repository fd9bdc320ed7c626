// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "threadkeep/backend.hpp"
#include "threadkeep/metrics.hpp"

/// \file
/// What can be put around a backend. Each layer is a Backend itself, so that a stack of them is one
/// too. From the inside out: deadline, breaker, retry, metrics, fallback. See
/// docs/operation/outages.md.

namespace threadkeep {

/// Ends each try of a call early, so that there is time left for another try, or for the fallback.
struct TryDeadlineOptions {
  std::chrono::milliseconds per_try{5'000};
};

/// Calls the store no more for a while after it failed several times in a row: its callers get
/// `unavailable` (native code "breaker_open") at once instead of each waiting for its own time-out.
struct BreakerOptions {
  unsigned failures = 3;                      ///< In a row, that open it.
  std::chrono::milliseconds open_for{1'000};  ///< Until one call may try again; see longest.
  std::chrono::milliseconds longest{15'000};  ///< It waits twice as long each time, up to this.
};

/// Sends again what failed and can be sent again. A write whose outcome is unknown is looked up
/// first, where a second one could end differently from the first. It is not sent again at all
/// where a late copy of the first could undo what came after: writes without ids, demands or the
/// name of an operation (unversioned changes of state, deletions, metadata) stay `outcome_unknown`.
struct RetryOptions {
  unsigned tries = 3;                       ///< Of one call, the first one included.
  std::chrono::milliseconds first{20};      ///< Longest wait before the second try; then doubled.
  std::chrono::milliseconds longest{1000};  ///< Longest wait before any try. Waits are random.
  /// How many retries there may be for each call, over all calls of late: an outage must not
  /// double the load on a server that is coming back.
  double budget = 0.2;
};

/// What a store does while its primary cannot be reached; see docs/operation/outages.md.
struct FallbackOptions {
  /// A call for a thread that nobody here knows: `unavailable`, or taken for new.
  enum class UnknownThreads { refuse, allow };

  UnknownThreads unknown = UnknownThreads::refuse;
  std::size_t journal_bytes = std::size_t{64} << 20;  ///< More is `unavailable`.
  std::size_t cache_bytes = std::size_t{64} << 20;    ///< Of threads that were used of late.
  std::chrono::milliseconds warn_every{30'000};       ///< The log says so again.
  std::chrono::milliseconds probe_every{500};         ///< Whether the primary is back.
  /// Makes an empty store in memory, for one thread that goes on here.
  std::function<std::unique_ptr<Backend>()> open_memory;
};

/// Puts layers around a backend. Each function adds one outside of those before.
///
///     auto backend = Stack(open_postgres()).deadline().breaker().retry().build();
class Stack {
 public:
  explicit Stack(std::unique_ptr<Backend> backend);
  ~Stack();
  Stack(Stack&&) noexcept;
  Stack& operator=(Stack&&) noexcept;

  Stack&& deadline(TryDeadlineOptions options = {}) &&;
  Stack&& breaker(BreakerOptions options = {}) &&;
  Stack&& retry(RetryOptions options = {}) &&;
  /// Counts in `metrics` under this role, "primary" say.
  Stack&& metrics(std::string role, std::shared_ptr<Metrics> metrics = Metrics::process()) &&;
  /// `journal`: a store with Backend::journal(), which is used for nothing else. Needs a breaker.
  Stack&& fallback(std::unique_ptr<Backend> journal, FallbackOptions options) &&;

  /// Throws Error(invalid_argument) when a layer is there twice or stands in a place where it
  /// cannot work, and names both; nothing is called before.
  std::unique_ptr<Backend> build() &&;

 private:
  struct Layers;
  std::unique_ptr<Layers> layers_;
};

}  // namespace threadkeep
