// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "threadkeep/call.hpp"
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

/// What deletions and sweeps have left, and is older than KeepTimes say.
struct Leftovers {
  std::uint64_t tombstones = 0;
  std::uint64_t notes = 0;  ///< Entries of the audit, and runs.

  friend bool operator==(const Leftovers&, const Leftovers&) = default;
};

/// Where threads go before something is deleted from them, such as files.
struct Archive {
  /// Keeps all that the store has of these threads, which come in bytewise order; those that are
  /// not there any more are left out. All of it is safe on a disk when this returns a name for it,
  /// which the audit tells. Throws Error: the sweep ends, and nothing of these threads has gone.
  std::function<std::string(std::int64_t run, const std::vector<std::string>& thread_ids,
                            const Call& call)>
      keep;
  /// Nothing has gone of what was kept under this name, so it may be forgotten.
  std::function<void(const std::string& name)> forget;
};

struct SweepOptions {
  /// When it is over, no further batch begins; the next sweep goes on from there.
  std::chrono::seconds time_budget = std::chrono::minutes(10);
  std::uint32_t batch_size = 1000;  ///< Checkpoints of a transaction, 1 to 10000.
  /// When something was taken from so many, no further batch begins. 0: there is no limit.
  std::uint64_t max_threads = 0;
  std::function<void(const Swept&)> progress;  ///< Called after each batch, if set.
  /// Keeps each thread as a whole before anything of it goes. One that changed meanwhile stays for
  /// the next sweep, and is counted as busy.
  std::optional<Archive> archive;
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
