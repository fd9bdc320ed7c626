// SPDX-License-Identifier: Apache-2.0
#include "scheduler_parts.hpp"

namespace threadkeep {

namespace {

// The mutation itself went to the batch; what is left knows its kind.
Outcome lost(const Mutation& mutation) {
  return {{},
          Error(Code::outcome_unknown, "the deadline passed while it was under way", {},
                operation_name(mutation))};
}

}  // namespace

Scheduler::Scheduler(Store& store, Backend& backend, StoreOptions options)
    : store_(store),
      backend_(backend),
      options_(std::move(options)),
      counted_(std::make_unique<const Counted>(
          options_.metrics ? *options_.metrics : *Metrics::process(),
          MetricLabels{{"backend", backend.capabilities().name}})),
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
      if (end(entry, entry->not_done(Code::cancelled, why))) refused.push_back(entry);
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

// ---- Ends ----

// Ends an entry under the lock; true when complete() has to follow without the lock.
bool Scheduler::end(const EntryPtr& entry, Outcome outcome) {
  const bool was_queued = entry->state == State::queued;
  entry->state = State::finished;
  entry->outcome = std::move(outcome);
  if (entry->is_async()) {
    timekeeper_->forget(entry->timer);
    if (was_queued) end_waiting(*entry);
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
    const Code code = entry->call.deadline.passed() ? Code::timeout : Code::cancelled;
    end(entry, running ? lost(entry->mutation) : entry->not_done(code));
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
      end(entry, entry->not_done(code));
      withdraw(entry);
    } else if (entry->state == State::running && final) {
      end(entry, lost(entry->mutation));
    }
  }
  advance_backlog();
  wake_leader();
}

// True when a batch that begins with the lane of `entry` holds it too.
bool Scheduler::is_within_reach(const EntryPtr& entry) const {
  std::size_t entries = 0;
  std::size_t bytes = 0;
  for (const EntryPtr& earlier : entry->place->queue) {
    if (earlier == entry) return true;
    if (earlier->is_read() || ++entries >= batch_limit_) return false;
    bytes += weight(earlier->mutation);
    if (bytes >= max_batch_bytes) return false;
  }
  return false;
}

// True when a batch taken now holds one of the caller's own writes: nobody overruns a deadline with
// the work of others alone.
bool Scheduler::brings_own_forward(const Waiter& waiter) {
  for (const EntryPtr& entry : waiter.entries) {
    if (entry->state != State::queued) continue;
    if (entry == ready_barrier_) return true;
    Lane* lane = entry->place;
    if (ready_barrier_ || !lane || !lane->listed || !is_within_reach(entry)) continue;
    if (ready_writes_.front() != lane) {
      std::erase(ready_writes_, lane);
      ready_writes_.push_front(lane);
    }
    return true;
  }
  return false;
}

}  // namespace threadkeep
