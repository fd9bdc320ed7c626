// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "threadkeep/retention_host.hpp"

/// \file
/// What sweeps do, as data; what they have done is in threadkeep/retention_host.hpp. Times are
/// microseconds since 1970 UTC. Bytes are those that values and documents take in the store; on
/// Postgres compressed.

namespace threadkeep::retention {

/// What would go now by one policy, for one reason.
struct Due {
  std::string policy;         ///< Empty for threads that go by a time of their own and match none.
  std::string reason;         ///< See Reason.
  std::uint64_t threads = 0;  ///< From which something goes.
  std::uint64_t checkpoints = 0;
  std::uint64_t writes = 0;
  std::uint64_t blobs = 0;  ///< On Postgres these go a grace of 15 minutes later.
  std::uint64_t bytes = 0;
};

struct SweepOptions {
  /// When it is over, no further batch begins; the next sweep goes on from there.
  std::chrono::seconds time_budget = std::chrono::minutes(10);
  std::uint32_t batch_size = 1000;  ///< Checkpoints of a transaction, 1 to 10000.
  /// When something was taken from so many, no further batch begins. 0: there is no limit.
  std::uint64_t max_threads = 0;
  std::function<void(const Swept&)> progress;  ///< Called after each batch, if set.
};

struct SweepResult {
  std::int64_t run = 0;      ///< 0: another sweep is under way, and nothing was done.
  bool finished = false;     ///< All that was due has been looked at.
  std::size_t policies = 0;  ///< How many are stored. Without any, only times of threads count.
  Swept swept;
  std::string summary;  ///< In words.
};

/// What pg_cron does.
struct Job {
  std::string schedule;     ///< "*/15 * * * *"
  std::string last_status;  ///< "succeeded", "failed", ...; empty before the first time.
  std::string last_message;
};

/// An interval in the language of cron, by the clock: whole minutes that divide the hour, whole
/// hours that divide the day, or one day; absent for others.
std::optional<std::string> cron_expression(std::chrono::seconds every);

}  // namespace threadkeep::retention
