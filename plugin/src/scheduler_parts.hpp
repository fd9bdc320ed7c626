// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>

#include "scheduler.hpp"

/// \file
/// What the Scheduler moves about: calls, their queues, and the batches that are made of them. All
/// of it is guarded by the Scheduler's mutex.

namespace threadkeep {

/// A write under way is given this much beyond its deadline to say how it ended.
inline constexpr auto grace = std::chrono::milliseconds(100);

inline constexpr std::size_t max_batch_entries = 256;
inline constexpr std::size_t max_batch_bytes = 16 * 1024 * 1024;

inline constexpr std::string_view nothing_done = "nothing was done";
inline constexpr std::string_view sent_and_lost =
    "it was sent with a batch that did not end in time, and could not be sent again";

enum class State { queued, running, finished };

// The queue of asynchronous calls, for whoever watches the process.
struct Scheduler::Counted {
  Counted(Metrics& metrics, const MetricLabels& labels)
      : depth(metrics.gauge("threadkeep_queue_depth", "Asynchronous calls that wait.", labels)),
        wait(metrics.histogram("threadkeep_queue_wait_seconds",
                               "How long asynchronous calls waited before they were carried out or "
                               "given up.",
                               labels)),
        refused(metrics.counter("threadkeep_queue_refused_total",
                                "Asynchronous calls refused because the queue was full.", labels)) {
  }

  Gauge& depth;
  Histogram& wait;
  Counter& refused;
};

struct Scheduler::Cancel {
  Timekeeper* timekeeper;
  Timekeeper::Id id;
  void operator()() const { timekeeper->hurry(id); }
};

struct Scheduler::Entry {
  std::string lane;  // empty: a barrier, or a read that waits for no other call
  Call call;
  Mutation mutation;
  Waiter* waiter = nullptr;  // the blocking caller, or one of the two tasks
  std::unique_ptr<WriteTask> write_task;
  std::unique_ptr<ReadTask> read_task;
  bool reads = false;  // unlike read_task, it never changes

  State state = State::queued;
  Deadline::Clock::time_point queued_at{};  // of asynchronous calls
  bool uncertain = false;                   // was sent once and lost sight of; it is queued again
  Lane* place = nullptr;                    // set while it stands in a lane
  Outcome outcome;
  Timekeeper::Id timer{};
  std::optional<std::stop_callback<Cancel>> on_stop;

  bool is_read() const { return reads; }
  bool is_barrier() const { return lane.empty() && !is_read(); }
  bool is_async() const { return write_task || reads; }

  /// The end of one that is not under way. It claims that nothing was done only when that is so.
  Outcome not_done(Code code, std::string_view message = nothing_done) const {
    const auto operation = is_read() ? std::string_view("read") : operation_name(mutation);
    if (!uncertain) return {{}, Error(code, message, {}, operation)};
    return {{}, Error(Code::outcome_unknown, sent_and_lost, {}, operation)};
  }
};

struct Scheduler::Lane {
  std::string name;
  std::deque<EntryPtr> queue;
  std::size_t readers = 0;
  bool writing = false;
  bool listed = false;  // stands in ready_writes_

  bool idle() const { return queue.empty() && readers == 0 && !writing && !listed; }
  void drop_finished() {
    while (!queue.empty() && queue.front()->state == State::finished) queue.pop_front();
  }
};

// Lives on the caller's stack; entries point to it until they end.
struct Scheduler::Waiter {
  std::condition_variable changed;
  std::vector<EntryPtr> entries;
  std::size_t pending = 0;
  bool leading = false;  // not waiting: it leads a batch
};

struct Scheduler::Batch {
  std::vector<EntryPtr> entries;
  std::vector<Mutation> mutations;
  std::vector<Lane*> lanes;
  std::vector<EntryPtr> ended;  // have to be completed once the lock is released
  std::size_t limit = 1;
  std::size_t bytes = 0;
  bool barrier = false;

  bool full() const { return entries.size() >= limit || bytes >= max_batch_bytes; }

  void add(const EntryPtr& entry) {
    entry->state = State::running;
    entry->place = nullptr;
    bytes += weight(entry->mutation);
    mutations.push_back(std::move(entry->mutation));
    entries.push_back(entry);
  }

  // One entry keeps its own call. Several share the earliest deadline; those with a later one are
  // queued again if it passes. Nobody can cancel what belongs to others too.
  Call call() const {
    if (entries.size() == 1) return entries.front()->call;
    Call shared{Deadline::never(), {}};
    for (const EntryPtr& entry : entries) {
      shared.deadline = std::min(shared.deadline, entry->call.deadline);
    }
    return shared;
  }
};

}  // namespace threadkeep
