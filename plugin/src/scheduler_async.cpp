// SPDX-License-Identifier: Apache-2.0
#include "scheduler_parts.hpp"

namespace threadkeep {

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
      begin_waiting(*entry);
      watch(entry, entry->call.deadline);
      if (entry->call.stop.stop_possible()) {
        entry->on_stop.emplace(entry->call.stop, Cancel{timekeeper_.get(), entry->timer});
      }
      enqueue(entry);
      wake_leader();
      return;
    }
    counted_->refused.add();
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

void Scheduler::begin_waiting(Entry& entry) {
  ++waiting_async_;
  counted_->depth.add(1);
  entry.queued_at = Deadline::Clock::now();
}

void Scheduler::end_waiting(const Entry& entry) {
  --waiting_async_;
  counted_->depth.add(-1);
  counted_->wait.observe(Deadline::Clock::now() - entry.queued_at);
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
    end_waiting(*entry);
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
