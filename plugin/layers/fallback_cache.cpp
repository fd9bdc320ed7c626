// SPDX-License-Identifier: Apache-2.0
#include "layers/fallback_cache.hpp"

namespace threadkeep {

std::string key_of(const StateScope& scope) {
  return scope.thread_id.empty() ? "s" + scope.name : "t" + scope.thread_id;
}

const std::string& name_of(const StateScope& scope) noexcept {
  return scope.lane();
}

std::shared_ptr<FallbackLane> FallbackCache::touch(Slots::iterator slot) {
  slots_.splice(slots_.begin(), slots_, slot);
  return slot->lane;
}

std::shared_ptr<FallbackLane> FallbackCache::find(const StateScope& scope) {
  const std::string key = key_of(scope);
  const std::scoped_lock lock(mutex_);
  const auto found = places_.find(key);
  if (found != places_.end()) return touch(found->second);
  return aside_.contains(key) ? make(key, scope) : nullptr;
}

std::shared_ptr<FallbackLane> FallbackCache::find_or_make(const StateScope& scope) {
  std::vector<std::shared_ptr<FallbackLane>> gone;  // Destroyed after the lock.
  const std::string key = key_of(scope);
  const std::scoped_lock lock(mutex_);
  const auto found = places_.find(key);
  if (found != places_.end()) return touch(found->second);
  auto lane = make(key, scope);
  collect_old(gone);
  return lane;
}

std::shared_ptr<FallbackLane> FallbackCache::make(const std::string& key, const StateScope& scope) {
  auto lane = std::make_shared<FallbackLane>(key, scope, open_);
  if (const auto aside = aside_.extract(key)) lane->aside = std::move(aside.mapped());
  slots_.push_front({lane, lane->overlay.bytes(), false});
  places_.emplace(key, slots_.begin());
  bytes_ += slots_.front().bytes;
  return lane;
}

void FallbackCache::account(const FallbackLane& lane) {
  std::vector<std::shared_ptr<FallbackLane>> gone;
  const std::scoped_lock lock(mutex_);
  const auto found = places_.find(lane.key);
  if (found == places_.end()) return;
  Slot& slot = *found->second;
  bytes_ -= slot.pinned ? 0 : slot.bytes;
  slot.bytes = lane.overlay.bytes();
  slot.pinned = lane.waits();
  bytes_ += slot.pinned ? 0 : slot.bytes;
  collect_old(gone);
}

// Copies are made under the lock alone, so a lane that nobody else has stays so.
void FallbackCache::collect_old(std::vector<std::shared_ptr<FallbackLane>>& gone) {
  for (auto slot = slots_.end(); bytes_ > max_bytes_ && slot != slots_.begin();) {
    --slot;
    if (slot->pinned || slot->lane.use_count() > 1) continue;
    FallbackLane& lane = *slot->lane;
    // Nobody else can have its lock, so this only makes visible what they did.
    if (!lane.mutex.try_lock()) continue;
    if (!lane.aside.empty()) aside_.emplace(lane.key, std::move(lane.aside));
    lane.mutex.unlock();
    bytes_ -= slot->bytes;
    places_.erase(slot->lane->key);
    gone.push_back(std::move(slot->lane));
    slot = slots_.erase(slot);
  }
}

std::vector<std::shared_ptr<FallbackLane>> FallbackCache::all() {
  const std::scoped_lock lock(mutex_);
  std::vector<std::shared_ptr<FallbackLane>> lanes;
  lanes.reserve(slots_.size());
  for (const Slot& slot : slots_) lanes.push_back(slot.lane);
  return lanes;
}

std::vector<std::shared_ptr<FallbackLane>> FallbackCache::waiting() {
  const std::scoped_lock lock(mutex_);
  std::vector<std::shared_ptr<FallbackLane>> lanes;
  for (const Slot& slot : slots_) {
    if (slot.pinned) lanes.push_back(slot.lane);
  }
  return lanes;
}

}  // namespace threadkeep
