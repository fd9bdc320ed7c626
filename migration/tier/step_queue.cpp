// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/step_queue.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace threadkeep::migration {

namespace {

// Foreign keys to tables of later steps are links, which are set when all steps have ended.
std::vector<std::set<std::size_t>> earlier_steps(const Plan& plan) {
  std::map<std::string, std::size_t> step_of;
  std::vector<std::set<std::size_t>> all(plan.steps.size());
  for (std::size_t step = 0; step < plan.steps.size(); ++step) {
    for (const auto& name : plan.steps[step].tables) {
      for (const auto& key : plan.table(name).rows.target.table.foreign_keys) {
        const auto found = key.same_schema ? step_of.find(key.target) : step_of.end();
        if (found != step_of.end()) all[step].insert(found->second);
      }
    }
    for (const auto& name : plan.steps[step].tables) step_of.emplace(name, step);
  }
  return all;
}

}  // namespace

StepQueue::StepQueue(const Plan& plan) : waits_for_(earlier_steps(plan)) {
  for (std::size_t step = 0; step < plan.steps.size(); ++step) waiting_.insert(step);
}

std::optional<std::size_t> StepQueue::take() {
  std::unique_lock lock(mutex_);
  std::optional<std::size_t> ready;
  changed_.wait(lock, [&] {
    if (stopped_ || waiting_.empty()) return true;
    ready = find_ready();
    return ready.has_value();
  });
  if (ready) waiting_.erase(*ready);
  return ready;
}

void StepQueue::done(std::size_t step) {
  const std::lock_guard lock(mutex_);
  done_.insert(step);
  changed_.notify_all();
}

void StepQueue::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

std::optional<std::size_t> StepQueue::find_ready() const {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](std::size_t step) {
    return std::includes(done_.begin(), done_.end(), waits_for_[step].begin(),
                         waits_for_[step].end());
  });
  if (found == waiting_.end()) return {};
  return *found;
}

}  // namespace threadkeep::migration
