// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "layers/read_back.hpp"
#include "scheduler_parts.hpp"

namespace threadkeep {

namespace {

// Ended by the deadline that the members of a batch share.
bool is_cut_short(const Outcome& outcome) {
  if (!outcome.error) return false;
  const Code code = outcome.error->code();
  return code == Code::timeout || code == Code::outcome_unknown;
}

// Of one whose outcome is unknown, a copy may still be on its way to the store. Were it sent again
// and acknowledged, that copy could undo what comes after.
bool may_be_sent_again(const Mutation& mutation, const Outcome& outcome) {
  if (!is_cut_short(outcome)) return false;
  return outcome.error->code() == Code::timeout || may_come_late(mutation);
}

bool may_have_been_done(const Outcome& outcome) {
  return !outcome.error || outcome.error->code() == Code::outcome_unknown;
}

// What a second attempt says of the mutation itself; anything else says nothing about the first.
bool is_about_content(const Error& error) {
  const Code code = error.code();
  return code == Code::conflict || code == Code::duplicate || code == Code::invalid_argument;
}

}  // namespace

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
    if (batch.entries.front()->is_async()) end_waiting(*batch.entries.front());
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
      const bool async = end(entry, entry->not_done(cancelled ? Code::cancelled : Code::timeout));
      if (async) batch.ended.push_back(entry);
      continue;
    }
    if (entry->is_async()) end_waiting(*entry);
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
  if (batch.entries.size() < 2 || !batch.call().deadline.passed()) return;
  std::set<std::string> settled;
  for (std::size_t i = batch.entries.size(); i-- > 0;) {
    const EntryPtr& entry = batch.entries[i];
    const bool again = entry->state == State::running &&
                       may_be_sent_again(batch.mutations[i], outcomes[i]) &&
                       !entry->call.deadline.passed() && !settled.contains(entry->lane);
    if (!again) {
      if (may_have_been_done(outcomes[i])) settled.insert(entry->lane);
      continue;
    }
    Lane& lane = lanes_.at(entry->lane);
    entry->state = State::queued;
    if (outcomes[i].error->code() == Code::outcome_unknown) entry->uncertain = true;
    entry->place = &lane;
    entry->mutation = std::move(batch.mutations[i]);
    if (entry->is_async()) begin_waiting(*entry);
    ++active_;
    lane.queue.push_front(entry);
  }
}

// When an early deadline ends a batch for all, batches become smaller until they fit: else the next
// early deadline would end those that were queued again, and so on for ever.
void Scheduler::adapt_limit(const Batch& batch, const std::vector<Outcome>& outcomes) {
  const bool late =
      batch.call().deadline.passed() && std::any_of(outcomes.begin(), outcomes.end(), is_cut_short);
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
    const auto& error = outcomes[i].error;
    if (entry->uncertain && error && !is_about_content(*error)) {
      outcomes[i] = entry->not_done(error->code());
    }
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

}  // namespace threadkeep
