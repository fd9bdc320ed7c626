// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/stats.hpp"

#include <algorithm>
#include <utility>

#include "threadkeep/backend_support.hpp"
#include "threadkeep/ids.hpp"

namespace threadkeep {

namespace {

constexpr std::int64_t microseconds_of_day = 86'400'000'000;

bool is_larger(const ThreadSize& a, const ThreadSize& b) {
  return a.bytes != b.bytes ? a.bytes > b.bytes : a.thread_id < b.thread_id;
}

}  // namespace

void StatsCollector::add_thread(ThreadSize thread) {
  threads_.push_back(std::move(thread));
  std::push_heap(threads_.begin(), threads_.end(), is_larger);
  if (threads_.size() <= largest_) return;
  std::pop_heap(threads_.begin(), threads_.end(), is_larger);
  threads_.pop_back();
}

void StatsCollector::add_checkpoint(std::string_view id, std::uint64_t count) {
  const auto time = time_of_id(id);
  if (time) days_[*time - *time % microseconds_of_day] += count;
}

void StatsCollector::finish(StoreStats& stats) {
  std::sort_heap(threads_.begin(), threads_.end(), is_larger);
  stats.largest = std::move(threads_);
  stats.checkpoints_by_day = std::move(days_);
}

}  // namespace threadkeep
