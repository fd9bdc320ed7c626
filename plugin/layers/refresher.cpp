// SPDX-License-Identifier: Apache-2.0
#include "layers/refresher.hpp"

#include <algorithm>

#include "threadkeep/error.hpp"

namespace threadkeep {

namespace {

std::size_t weight(const VersionedTuple& found) {
  std::size_t size = found.tuple.document.size() + found.tuple.metadata.size();
  for (const Blob& blob : found.tuple.values) size += blob.data.size();
  for (const PendingWrite& write : found.tuple.writes) size += write.data.size();
  return size;
}

}  // namespace

Refresher::~Refresher() {
  worker_.request_stop();
  if (worker_.joinable()) worker_.join();
}

void Refresher::begin(const std::string& thread_id) {
  const std::lock_guard lock(mutex_);
  Item& thread = item(thread_id);
  unschedule(thread_id, thread);
  forget_found(thread);
  ++thread.writers;
  ++thread.changes;
  thread.written = true;
}

bool Refresher::end(const std::string& thread_id, bool at_once) {
  const std::lock_guard lock(mutex_);
  Item& thread = item(thread_id);
  ++thread.changes;
  if (--thread.writers > 0 || thread.copying) return true;
  if (items_.size() > options_.most_threads) {
    items_.erase(thread_id);
    return false;
  }
  const auto now = Deadline::Clock::now();
  schedule(thread_id, thread, at_once ? now : now + options_.quiet);
  return true;
}

void Refresher::offer(VersionedTuple found) {
  const std::size_t size = weight(found);
  const std::lock_guard lock(mutex_);
  const std::string thread_id = found.tuple.thread_id;
  const bool fits = items_.size() < options_.most_threads && bytes_ + size <= options_.most_bytes;
  if (!fits || items_.contains(thread_id)) return;
  Item& thread = item(thread_id);
  thread.found = std::move(found);
  thread.written = true;  // It may have been overtaken by a write that was copied already.
  bytes_ += size;
  schedule(thread_id, thread, Deadline::Clock::now());
}

bool Refresher::is_waiting(const std::string& thread_id) {
  const std::lock_guard lock(mutex_);
  const auto thread = items_.find(thread_id);
  return thread != items_.end() && thread->second.written;
}

void Refresher::drain(const Call& call) {
  std::unique_lock lock(mutex_);
  const auto waiting = due_;
  for (const auto& [due, thread_id] : waiting) {
    Item& thread = items_.at(thread_id);
    unschedule(thread_id, thread);
    schedule(thread_id, thread, Deadline::Clock::now());
  }
  const bool done = changed_.wait_until(lock, call.deadline.at(), [&] { return items_.empty(); });
  if (!done) throw Error(Code::timeout, "threads still wait for being copied to the hot store");
}

Refresher::Item& Refresher::item(const std::string& thread_id) {
  if (!worker_.joinable()) {
    worker_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  return items_[thread_id];
}

void Refresher::schedule(const std::string& thread_id, Item& item, Time due) {
  item.due = due;
  due_.emplace(due, thread_id);
  changed_.notify_all();
}

void Refresher::unschedule(const std::string& thread_id, Item& item) {
  due_.erase({item.due, thread_id});
}

void Refresher::forget_found(Item& item) {
  if (!item.found) return;
  bytes_ -= weight(*item.found);
  item.found.reset();
}

void Refresher::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (wait_for_due(lock, stop)) copy_first(lock, stop);
}

// False when it is time to stop.
bool Refresher::wait_for_due(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (due_.empty()) {
      changed_.wait(lock, stop, [&] { return !due_.empty(); });
      continue;
    }
    const Time first = due_.begin()->first;
    if (first <= Deadline::Clock::now()) return true;
    changed_.wait_until(lock, stop, first,
                        [&] { return due_.empty() || due_.begin()->first < first; });
  }
  return false;
}

void Refresher::copy_first(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
  const std::string thread_id = due_.begin()->second;
  due_.erase(due_.begin());
  Item& thread = items_.at(thread_id);  // stays where it is while it is being copied
  thread.copying = true;
  const auto changes = thread.changes;
  const auto found = thread.found;
  lock.unlock();
  const bool done = copy_(thread_id, found, {Deadline::after(options_.timeout), stop});
  lock.lock();
  thread.copying = false;
  forget_found(thread);
  if (done && thread.changes == changes) {
    items_.erase(thread_id);
    changed_.notify_all();
  } else if (thread.writers == 0) {
    const auto pause = thread.changes == changes ? options_.retry : options_.quiet;
    schedule(thread_id, thread, Deadline::Clock::now() + pause);
  }
}

}  // namespace threadkeep
