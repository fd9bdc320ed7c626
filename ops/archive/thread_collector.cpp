// SPDX-License-Identifier: Apache-2.0
#include "archive/thread_collector.hpp"

#include <utility>

namespace threadkeep::ops {

void ThreadCollector::begin_thread(const ThreadLine& thread) {
  thread_.emplace(thread);
}

std::optional<ArchivedThread> ThreadCollector::take() {
  return std::exchange(thread_, {});
}

}  // namespace threadkeep::ops
