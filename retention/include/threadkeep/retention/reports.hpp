// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

/// \file
/// What sweeps do and have done, as data. Times are microseconds since 1970 UTC. Bytes are those
/// that values and documents take in the database, compressed.

namespace threadkeep::retention {

/// What would go now by one policy, for one reason.
struct Due {
  std::string policy;         ///< Empty for threads that go by a time of their own and match none.
  std::string reason;         ///< See Reason.
  std::uint64_t threads = 0;  ///< From which something goes.
  std::uint64_t checkpoints = 0;
  std::uint64_t writes = 0;
  std::uint64_t blobs = 0;  ///< These go a grace of 15 minutes later.
  std::uint64_t bytes = 0;
};

/// What a sweep has done so far.
struct Swept {
  std::uint64_t threads = 0;  ///< From which something went.
  std::uint64_t checkpoints = 0;
  std::uint64_t writes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t busy = 0;       ///< Threads passed over because somebody wrote to them.
  std::uint64_t collected = 0;  ///< Blobs of earlier sweeps, whose grace was over.
};

struct SweepOptions {
  /// When it is over, no further batch begins; the next sweep goes on from there.
  std::chrono::seconds time_budget = std::chrono::minutes(10);
  std::uint32_t batch_size = 1000;             ///< Checkpoints of a transaction, 1 to 10000.
  std::function<void(const Swept&)> progress;  ///< Called after each batch, if set.
};

struct SweepResult {
  std::int64_t run = 0;      ///< 0: another sweep is under way, and nothing was done.
  bool finished = false;     ///< All that was due has been looked at.
  std::size_t policies = 0;  ///< How many are stored. Without any, only times of threads count.
  Swept swept;
  std::string summary;  ///< In words.
};

/// A sweep of the past, or one that is under way.
struct Run {
  std::int64_t run = 0;
  std::string kind;   ///< "sweep" or "langgraph_cleanup_old_data".
  std::string state;  ///< "running", "done", "paused", "failed" or "died".
  std::string who;
  std::int64_t started_at = 0;
  std::optional<std::int64_t> finished_at;
  std::string error;
  Swept swept;
};

/// Something that was deleted, or an order of somebody.
struct AuditEntry {
  std::int64_t id = 0;
  std::int64_t at = 0;
  std::string who;
  std::string action;  ///< "sweep", "apply", "pin", "unpin", "hold", "release", "expire", ...
  std::string policy;
  std::string reason;  ///< Of a hold its name.
  std::string thread_id;
  std::int64_t run = 0;  ///< 0 for what was no sweep.
  std::uint64_t threads = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t writes = 0;
  std::uint64_t blobs = 0;
  std::uint64_t bytes = 0;
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
