// SPDX-License-Identifier: Apache-2.0
#include "timekeeper.hpp"

namespace threadkeep {

Timekeeper::~Timekeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Timekeeper::Id Timekeeper::watch(Deadline deadline, std::function<void()> function) {
  const std::lock_guard lock(mutex_);
  const Id id{deadline.at(), ++last_};
  const auto place = watched_.emplace(id, std::move(function)).first;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  if (place == watched_.begin()) changed_.notify_one();
  return id;
}

void Timekeeper::hurry(const Id& id) {
  const std::lock_guard lock(mutex_);
  auto node = watched_.extract(id);
  if (node.empty()) return;
  hurried_.push_back(std::move(node.mapped()));
  changed_.notify_one();
}

void Timekeeper::forget(const Id& id) {
  const std::lock_guard lock(mutex_);
  watched_.erase(id);
}

bool Timekeeper::collect_due(std::vector<std::function<void()>>& due) {
  due.swap(hurried_);
  while (!watched_.empty() && watched_.begin()->first.first <= Deadline::Clock::now()) {
    due.push_back(std::move(watched_.extract(watched_.begin()).mapped()));
  }
  return !due.empty();
}

void Timekeeper::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::vector<std::function<void()>> due;
    if (collect_due(due)) {
      lock.unlock();
      for (const auto& function : due) function();
      due.clear();
      lock.lock();
    } else if (watched_.empty() || watched_.begin()->first.first == Deadline::never().at()) {
      changed_.wait(lock);
    } else {
      const auto next = watched_.begin()->first.first;
      changed_.wait_until(lock, next);
    }
  }
}

}  // namespace threadkeep
