// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "threadkeep/metrics.hpp"
#include "threadkeep/store.hpp"
#include "timekeeper.hpp"

namespace threadkeep {

/// Group commit and the order of calls, for blocking and asynchronous callers alike.
///
/// Each thread id has a *lane*: a queue of its calls. Writes at the head of all free lanes are
/// applied together as one batch. A blocking caller leads a batch itself when a slot is free, so a
/// lone caller never waits for another thread; while it leads, others queue up and make the next
/// batch. Asynchronous calls are led by a pool of workers that starts with the first of them; the
/// timekeeper ends those whose deadline passes or which are cancelled while they wait.
/// A mutation that spans threads is a barrier: it runs alone, after all earlier and before all
/// later calls. Thread-safe.
class Scheduler {
 public:
  Scheduler(Store& store, Backend& backend, StoreOptions options);
  /// Waits for calls under way; asynchronous ones that still wait end with `cancelled`.
  ~Scheduler();

  /// Carries out validated mutations for a blocking caller; outcomes in the same order.
  std::vector<Outcome> write(std::vector<Mutation> mutations, const Call& call);

  void submit(Mutation mutation, const Call& call, std::unique_ptr<WriteTask> task);
  void submit(std::string lane, const Call& call, std::unique_ptr<ReadTask> task);

 private:
  struct Entry;
  struct Lane;
  struct Waiter;
  struct Batch;
  struct Cancel;
  struct Counted;
  using EntryPtr = std::shared_ptr<Entry>;
  using Lock = std::unique_lock<std::mutex>;

  // Intake: from the caller to the head of a lane.
  void enqueue(const EntryPtr& entry);
  void place(const EntryPtr& entry);
  void schedule(Lane& lane);
  void advance_backlog();

  // Batches: from the heads of the lanes to the backend.
  bool can_lead() const;
  void lead(Lock& lock);
  Batch take();
  void take_from(Lane& lane, Batch& batch);
  std::vector<Outcome> apply(const Batch& batch);
  void requeue_unfinished(Batch& batch, std::vector<Outcome>& outcomes);
  void finish(Batch& batch, std::vector<Outcome>& outcomes);
  void release(Batch& batch);
  void adapt_limit(const Batch& batch, const std::vector<Outcome>& outcomes);
  void wake_leader();
  Waiter* waiting_caller() const;

  // Ends: each entry ends once, by its batch, its deadline or its caller.
  bool end(const EntryPtr& entry, Outcome outcome);
  void end_early(const EntryPtr& entry);
  void withdraw(const EntryPtr& entry);
  static void complete(Entry& entry);

  // Blocking callers.
  void wait(Lock& lock, Waiter& waiter, const Call& call);
  void give_up(Waiter& waiter, const Call& call);
  bool brings_own_forward(const Waiter& waiter);
  bool is_within_reach(const EntryPtr& entry) const;

  // Asynchronous callers.
  void admit(const EntryPtr& entry);
  void watch(const EntryPtr& entry, Deadline deadline);
  void begin_waiting(Entry& entry);
  void end_waiting(const Entry& entry);
  void start_workers();
  void work();
  void run_read(Lock& lock);

  Store& store_;
  Backend& backend_;
  const StoreOptions options_;
  const std::unique_ptr<const Counted> counted_;
  const std::size_t max_batches_;

  std::mutex mutex_;
  std::unordered_map<std::string, Lane> lanes_;
  std::deque<Lane*> ready_writes_;    // free lanes with a write at their head
  std::deque<EntryPtr> ready_reads_;  // may run now
  std::deque<EntryPtr> backlog_;      // behind a barrier
  EntryPtr ready_barrier_;            // may run now
  bool barrier_running_ = false;      // ready or under way
  std::size_t active_ = 0;            // entries in lanes and under way; a barrier waits for none
  std::size_t running_batches_ = 0;
  std::size_t batch_limit_;  // entries of a batch; at least 1
  std::size_t waiting_async_ = 0;

  bool stopping_ = false;
  std::vector<std::thread> workers_;
  std::size_t idle_workers_ = 0;
  std::condition_variable work_ready_;
  std::unique_ptr<Timekeeper> timekeeper_;
};

}  // namespace threadkeep
