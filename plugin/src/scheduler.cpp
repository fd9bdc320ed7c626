// SPDX-License-Identifier: Apache-2.0
#include "scheduler.hpp"

#include <algorithm>
#include <optional>
#include <set>

namespace threadkeep {

namespace {

constexpr std::size_t max_batch_entries = 256;
constexpr std::size_t max_batch_bytes = 16 * 1024 * 1024;

// A write under way is given this much beyond its deadline to say how it ended.
constexpr auto grace = std::chrono::milliseconds(100);

constexpr std::string_view nothing_done = "nothing was done";
constexpr std::string_view under_way = "the deadline passed while it was under way";

Outcome failed(Code code, std::string_view message, const Mutation& mutation) {
  return {{}, Error(code, message, {}, operation_name(mutation))};
}

bool is_timeout(const Outcome& outcome) {
  return outcome.error && outcome.error->code() == Code::timeout;
}

}  // namespace

enum class State { queued, running, finished };

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
  Lane* place = nullptr;  // set while it stands in a lane
  Outcome outcome;
  Timekeeper::Id timer{};
  std::optional<std::stop_callback<Cancel>> on_stop;

  bool is_read() const { return reads; }
  bool is_barrier() const { return lane.empty() && !is_read(); }
  bool is_async() const { return write_task || reads; }
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

Scheduler::Scheduler(Store& store, Backend& backend, StoreOptions options)
    : store_(store),
      backend_(backend),
      options_(options),
      max_batches_(std::max<std::size_t>(1, backend.capabilities().max_concurrent_batches)),
      batch_limit_(max_batch_entries),
      timekeeper_(std::make_unique<Timekeeper>()) {}

Scheduler::~Scheduler() {
  std::vector<EntryPtr> refused;
  {
    const Lock lock(mutex_);
    stopping_ = true;
    const auto refuse = [&](const EntryPtr& entry) {
      const std::string_view why = "the store is being closed";
      if (entry->state != State::queued) return;
      if (end(entry, failed(Code::cancelled, why, entry->mutation))) refused.push_back(entry);
    };
    for (auto& [name, lane] : lanes_) std::for_each(lane.queue.begin(), lane.queue.end(), refuse);
    std::for_each(ready_reads_.begin(), ready_reads_.end(), refuse);
    std::for_each(backlog_.begin(), backlog_.end(), refuse);
    if (ready_barrier_) {
      refuse(ready_barrier_);
      ready_barrier_ = nullptr;
    }
  }
  work_ready_.notify_all();
  for (const EntryPtr& entry : refused) complete(*entry);
  for (std::thread& worker : workers_) worker.join();
  timekeeper_.reset();
}

// ---- Intake ----

void Scheduler::enqueue(const EntryPtr& entry) {
  if (entry->is_read() && entry->lane.empty()) {
    ready_reads_.push_back(entry);
    work_ready_.notify_one();
  } else if (entry->is_barrier() || !backlog_.empty() || barrier_running_) {
    backlog_.push_back(entry);
    advance_backlog();
  } else {
    place(entry);
  }
}

void Scheduler::place(const EntryPtr& entry) {
  ++active_;
  Lane& lane = lanes_[entry->lane];
  if (lane.name.empty()) lane.name = entry->lane;
  entry->place = &lane;
  lane.queue.push_back(entry);
  schedule(lane);
}

// Offers what stands at the head of a lane: all reads up to the next write at once, a write when no
// read is under way. Forgets a lane that has nothing left.
void Scheduler::schedule(Lane& lane) {
  lane.drop_finished();
  while (!lane.writing && !lane.listed && !lane.queue.empty() && lane.queue.front()->is_read()) {
    ++lane.readers;
    ready_reads_.push_back(std::move(lane.queue.front()));
    work_ready_.notify_one();
    lane.queue.pop_front();
    lane.drop_finished();
  }
  if (!lane.queue.empty() && lane.readers == 0 && !lane.writing && !lane.listed) {
    lane.listed = true;
    ready_writes_.push_back(&lane);
  }
  if (lane.idle()) lanes_.erase(std::string(lane.name));
}

void Scheduler::advance_backlog() {
  while (!backlog_.empty() && !barrier_running_) {
    const EntryPtr next = backlog_.front();
    const bool finished = next->state == State::finished;
    if (!finished && next->is_barrier() && active_ > 0) return;
    backlog_.pop_front();
    if (finished) continue;
    if (next->is_barrier()) {
      barrier_running_ = true;
      ready_barrier_ = next;
    } else {
      place(next);
    }
  }
}

// ---- Batches ----

bool Scheduler::can_lead() const {
  return running_batches_ < max_batches_ && (ready_barrier_ || !ready_writes_.empty());
}

void Scheduler::lead(Lock& lock) {
  Batch batch = take();
  ++running_batches_;
  wake_leader();  // what did not fit may have a slot of its own
  lock.unlock();
  std::vector<Outcome> outcomes;
  if (!batch.entries.empty()) outcomes = apply(batch);
  lock.lock();
  --running_batches_;
  finish(batch, outcomes);
  wake_leader();
  lock.unlock();
  for (const EntryPtr& entry : batch.ended) complete(*entry);
  batch = Batch();
  lock.lock();
}

Scheduler::Batch Scheduler::take() {
  Batch batch;
  batch.limit = batch_limit_;
  if (ready_barrier_) {
    batch.barrier = true;
    batch.add(std::exchange(ready_barrier_, nullptr));
    if (batch.entries.front()->is_async()) --waiting_async_;
    return batch;
  }
  while (!ready_writes_.empty() && !batch.full()) {
    Lane& lane = *ready_writes_.front();
    ready_writes_.pop_front();
    lane.listed = false;
    lane.writing = true;
    batch.lanes.push_back(&lane);
    take_from(lane, batch);
  }
  return batch;
}

void Scheduler::take_from(Lane& lane, Batch& batch) {
  for (; !lane.queue.empty() && !batch.full(); lane.queue.pop_front()) {
    const EntryPtr& entry = lane.queue.front();
    if (entry->state == State::finished) continue;
    if (entry->is_read()) return;
    if (entry->call.stop.stop_requested() || entry->call.deadline.passed()) {
      const bool cancelled = entry->call.stop.stop_requested();
      const bool async = end(entry, failed(cancelled ? Code::cancelled : Code::timeout,
                                           nothing_done, entry->mutation));
      if (async) batch.ended.push_back(entry);
      continue;
    }
    if (entry->is_async()) --waiting_async_;
    batch.add(entry);
  }
}

std::vector<Outcome> Scheduler::apply(const Batch& batch) {
  const auto all = [&](const Error& error) {
    std::vector<Outcome> outcomes;
    for (const Mutation& mutation : batch.mutations) {
      outcomes.push_back({{}, error.during(operation_name(mutation))});
    }
    return outcomes;
  };
  try {
    auto outcomes = backend_.apply(batch.mutations, batch.call());
    if (outcomes.size() == batch.mutations.size()) return outcomes;
    return all(Error(Code::internal, "the backend returned a wrong number of outcomes"));
  } catch (const Error& error) {
    return all(error);
  } catch (const std::bad_alloc&) {
    return all(Error(Code::unavailable, "out of memory"));
  } catch (const std::exception& error) {
    return all(Error(Code::internal, error.what()));
  }
}

// A shared deadline can end a batch before that of a member has passed: such a member goes back to
// the head of its lane, unless a later call of the lane has been carried out already.
void Scheduler::requeue_unfinished(Batch& batch, std::vector<Outcome>& outcomes) {
  if (batch.entries.size() < 2) return;
  std::set<std::string> settled;
  for (std::size_t i = batch.entries.size(); i-- > 0;) {
    const EntryPtr& entry = batch.entries[i];
    const bool again = entry->state == State::running && is_timeout(outcomes[i]) &&
                       !entry->call.deadline.passed() && !settled.contains(entry->lane);
    if (!again) {
      settled.insert(entry->lane);
      continue;
    }
    Lane& lane = lanes_.at(entry->lane);
    entry->state = State::queued;
    entry->place = &lane;
    entry->mutation = std::move(batch.mutations[i]);
    if (entry->is_async()) ++waiting_async_;
    ++active_;
    lane.queue.push_front(entry);
  }
}

// When an early deadline ends a batch for all, batches become smaller until they fit: else the next
// early deadline would end those that were queued again, and so on for ever.
void Scheduler::adapt_limit(const Batch& batch, const std::vector<Outcome>& outcomes) {
  const bool late = std::any_of(outcomes.begin(), outcomes.end(), is_timeout);
  if (batch.entries.size() > 1 && late) {
    batch_limit_ = std::max<std::size_t>(1, batch.entries.size() / 2);
  } else if (!late) {
    batch_limit_ = std::min(max_batch_entries, batch_limit_ * 2);
  }
}

void Scheduler::finish(Batch& batch, std::vector<Outcome>& outcomes) {
  adapt_limit(batch, outcomes);
  requeue_unfinished(batch, outcomes);
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    const EntryPtr& entry = batch.entries[i];
    if (entry->state != State::running) continue;
    if (end(entry, std::move(outcomes[i]))) batch.ended.push_back(entry);
  }
  release(batch);
}

void Scheduler::release(Batch& batch) {
  if (batch.barrier) {
    barrier_running_ = false;
  } else {
    active_ -= batch.entries.size();
  }
  for (Lane* lane : batch.lanes) {
    lane->writing = false;
    schedule(*lane);
  }
  advance_backlog();
}

// A free slot and a ready write need somebody: the caller at the head, an idle worker, or, when all
// workers are busy reading, the first caller that waits.
void Scheduler::wake_leader() {
  if (!can_lead()) return;
  const Entry& head = ready_barrier_ ? *ready_barrier_ : *ready_writes_.front()->queue.front();
  Waiter* waiter = head.is_async() && idle_workers_ > 0 ? nullptr : waiting_caller();
  if (waiter) {
    waiter->changed.notify_one();
  } else {
    work_ready_.notify_one();
  }
}

Scheduler::Waiter* Scheduler::waiting_caller() const {
  const auto waits = [](const Entry& entry) { return entry.waiter && !entry.waiter->leading; };
  if (ready_barrier_) return waits(*ready_barrier_) ? ready_barrier_->waiter : nullptr;
  for (const Lane* lane : ready_writes_) {
    if (waits(*lane->queue.front())) return lane->queue.front()->waiter;
  }
  return nullptr;
}

// ---- Ends ----

// Ends an entry under the lock; true when complete() has to follow without the lock.
bool Scheduler::end(const EntryPtr& entry, Outcome outcome) {
  const bool was_queued = entry->state == State::queued;
  entry->state = State::finished;
  entry->outcome = std::move(outcome);
  if (entry->is_async()) {
    timekeeper_->forget(entry->timer);
    if (was_queued) --waiting_async_;
  }
  if (was_queued && entry->place) --active_;
  if (Waiter* waiter = std::exchange(entry->waiter, nullptr)) {
    if (--waiter->pending == 0) waiter->changed.notify_one();
    return false;
  }
  return entry->is_async();
}

// Makes room where an entry stood that ended while it was queued.
void Scheduler::withdraw(const EntryPtr& entry) {
  if (ready_barrier_ == entry) {
    ready_barrier_ = nullptr;
    barrier_running_ = false;
  }
  if (!entry->place) return;
  Lane& lane = *entry->place;
  if (lane.listed) {
    std::erase(ready_writes_, &lane);
    lane.listed = false;
  }
  schedule(lane);
}

// The deadline of an asynchronous call has passed, or it was cancelled. Cancelling a write that has
// begun comes too late: it ends normally, or by its deadline and grace. A read that has begun
// watches its own deadline.
void Scheduler::end_early(const EntryPtr& entry) {
  {
    const Lock lock(mutex_);
    if (entry->state == State::finished) return;
    const bool running = entry->state == State::running;
    if (running) {
      if (entry->is_read() || entry->call.deadline.is_never()) return;
      const Deadline last(entry->call.deadline.at() + grace);
      if (!last.passed()) return watch(entry, last);
    }
    const bool late = entry->call.deadline.passed();
    const Code code = running ? Code::outcome_unknown : late ? Code::timeout : Code::cancelled;
    const std::string_view what = running ? under_way : nothing_done;
    const std::string_view operation =
        entry->is_read() ? std::string_view("read") : operation_name(entry->mutation);
    end(entry, {{}, Error(code, what, {}, operation)});
    if (!running) withdraw(entry);
    advance_backlog();
    wake_leader();
  }
  complete(*entry);
}

void Scheduler::complete(Entry& entry) {
  entry.on_stop.reset();
  if (entry.write_task) entry.write_task->done(std::move(entry.outcome));
  if (entry.read_task) entry.read_task->refuse(*entry.outcome.error);
}

// ---- Blocking callers ----

std::vector<Outcome> Scheduler::write(std::vector<Mutation> mutations, const Call& call) {
  Waiter waiter;
  for (Mutation& mutation : mutations) {
    auto entry = std::make_shared<Entry>();
    entry->lane = lane(mutation);
    entry->call = call;
    entry->mutation = std::move(mutation);
    entry->waiter = &waiter;
    waiter.entries.push_back(std::move(entry));
  }
  waiter.pending = waiter.entries.size();
  const auto wake = [&] {
    const Lock lock(mutex_);
    waiter.changed.notify_one();
  };
  const std::stop_callback on_stop(call.stop, wake);  // outlives the lock below, as it takes it

  Lock lock(mutex_);
  for (const EntryPtr& entry : waiter.entries) enqueue(entry);
  while (waiter.pending > 0) {
    if (call.stop.stop_requested() || call.deadline.passed()) give_up(waiter, call);
    if (waiter.pending == 0) break;
    if (can_lead() && brings_own_forward(waiter)) {
      waiter.leading = true;
      lead(lock);
      waiter.leading = false;
    } else {
      wait(lock, waiter, call);
    }
  }
  std::vector<Outcome> outcomes;
  for (const EntryPtr& entry : waiter.entries) outcomes.push_back(std::move(entry->outcome));
  return outcomes;
}

void Scheduler::wait(Lock& lock, Waiter& waiter, const Call& call) {
  if (call.deadline.is_never()) {
    waiter.changed.wait(lock);
    return;
  }
  const auto until = call.deadline.passed() ? call.deadline.at() + grace : call.deadline.at();
  waiter.changed.wait_until(lock, until);
}

// Takes back what has not begun. What is under way may still end within the grace.
void Scheduler::give_up(Waiter& waiter, const Call& call) {
  const bool cancelled = call.stop.stop_requested();
  const bool final =
      !call.deadline.is_never() && Deadline::Clock::now() >= call.deadline.at() + grace;
  for (const EntryPtr& entry : waiter.entries) {
    if (entry->state == State::queued) {
      const Code code = cancelled ? Code::cancelled : Code::timeout;
      end(entry, failed(code, nothing_done, entry->mutation));
      withdraw(entry);
    } else if (entry->state == State::running && final) {
      end(entry, failed(Code::outcome_unknown, under_way, entry->mutation));
    }
  }
  advance_backlog();
  wake_leader();
}

// True when a batch taken now begins with one of the caller's own writes: nobody overruns a
// deadline with the work of others alone.
bool Scheduler::brings_own_forward(const Waiter& waiter) {
  for (const EntryPtr& entry : waiter.entries) {
    if (entry->state != State::queued) continue;
    if (entry == ready_barrier_) return true;
    Lane* lane = entry->place;
    if (ready_barrier_ || !lane || !lane->listed) continue;
    if (ready_writes_.front() != lane) {
      std::erase(ready_writes_, lane);
      ready_writes_.push_front(lane);
    }
    return true;
  }
  return false;
}

// ---- Asynchronous callers ----

void Scheduler::submit(Mutation mutation, const Call& call, std::unique_ptr<WriteTask> task) {
  auto entry = std::make_shared<Entry>();
  entry->lane = lane(mutation);
  entry->call = call;
  entry->mutation = std::move(mutation);
  entry->write_task = std::move(task);
  admit(entry);
}

void Scheduler::submit(std::string lane, const Call& call, std::unique_ptr<ReadTask> task) {
  auto entry = std::make_shared<Entry>();
  entry->lane = std::move(lane);
  entry->call = call;
  entry->read_task = std::move(task);
  entry->reads = true;
  admit(entry);
}

void Scheduler::admit(const EntryPtr& entry) {
  {
    const Lock lock(mutex_);
    if (waiting_async_ < options_.async_queue) {
      start_workers();
      ++waiting_async_;
      watch(entry, entry->call.deadline);
      if (entry->call.stop.stop_possible()) {
        entry->on_stop.emplace(entry->call.stop, Cancel{timekeeper_.get(), entry->timer});
      }
      enqueue(entry);
      wake_leader();
      return;
    }
    entry->state = State::finished;
    entry->outcome.error =
        Error(Code::unavailable, "the queue of asynchronous calls is full (" +
                                     std::to_string(options_.async_queue) +
                                     "); await earlier calls, or raise StoreOptions::async_queue");
  }
  complete(*entry);
}

void Scheduler::watch(const EntryPtr& entry, Deadline deadline) {
  entry->timer = timekeeper_->watch(deadline, [this, weak = std::weak_ptr(entry)] {
    if (const EntryPtr strong = weak.lock()) end_early(strong);
  });
}

void Scheduler::start_workers() {
  while (workers_.size() < std::max<std::size_t>(1, options_.async_threads)) {
    workers_.emplace_back([this] { work(); });
  }
}

void Scheduler::work() {
  Lock lock(mutex_);
  for (bool write_next = true;; write_next = !write_next) {  // neither kind starves the other
    if (can_lead() && (write_next || ready_reads_.empty())) {
      lead(lock);
    } else if (!ready_reads_.empty()) {
      run_read(lock);
    } else if (stopping_) {
      return;
    } else {
      ++idle_workers_;
      work_ready_.wait(lock);
      --idle_workers_;
    }
  }
}

void Scheduler::run_read(Lock& lock) {
  const EntryPtr entry = std::move(ready_reads_.front());
  ready_reads_.pop_front();
  if (entry->state == State::queued) {
    entry->state = State::running;
    --waiting_async_;
    timekeeper_->forget(entry->timer);
    wake_leader();  // this worker may have been woken to lead
    lock.unlock();
    entry->on_stop.reset();
    if (entry->call.stop.stop_requested()) {
      entry->read_task->refuse(Error(Code::cancelled, nothing_done, {}, "read"));
    } else if (entry->call.deadline.passed()) {
      entry->read_task->refuse(Error(Code::timeout, nothing_done, {}, "read"));
    } else {
      entry->read_task->run(store_);
    }
    entry->read_task.reset();
    lock.lock();
    if (entry->place) --active_;
  }
  if (!entry->place) return;
  Lane& lane = *std::exchange(entry->place, nullptr);
  --lane.readers;
  schedule(lane);
  advance_backlog();
  wake_leader();
}

}  // namespace threadkeep
