// SPDX-License-Identifier: Apache-2.0
#include "memory/value_cache.hpp"

namespace threadkeep::memory {

std::optional<Bytes> MemoryValueCache::get(std::string_view key, const Call&) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end()) return {};
  const auto entry = place->second;
  if (entry->until <= now_()) {
    drop(entry);
    return {};
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->value;
}

void MemoryValueCache::set(std::string_view key, const Bytes& value, std::chrono::milliseconds keep,
                           const Call&) {
  const std::lock_guard lock(mutex_);
  if (const auto place = places_.find(key); place != places_.end()) drop(place->second);
  const auto until = now_() + std::chrono::microseconds(keep).count();
  entries_.push_front({std::string(key), value, until});
  places_.emplace(key, entries_.begin());
  bytes_ += value.size();
  while (bytes_ > most_bytes) drop(std::prev(entries_.end()));
}

void MemoryValueCache::erase(std::string_view key, const Call&) {
  const std::lock_guard lock(mutex_);
  if (const auto place = places_.find(key); place != places_.end()) drop(place->second);
}

void MemoryValueCache::drop(Entries::iterator entry) {
  bytes_ -= entry->value.size();
  places_.erase(places_.find(entry->key));
  entries_.erase(entry);
}

}  // namespace threadkeep::memory
