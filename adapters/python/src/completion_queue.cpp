// SPDX-License-Identifier: Apache-2.0
#include "completion_queue.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace threadkeep::python {

CompletionQueue::CompletionQueue() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (event_ < 0) {
    throw Error(Code::unavailable,
                std::string("cannot watch for completions: ") + std::strerror(errno));
  }
}

CompletionQueue::~CompletionQueue() {
  ::close(event_);
}

void CompletionQueue::push(Completion completion) noexcept {
  std::lock_guard lock(mutex_);
  finished_.push_back(std::move(completion));
  if (finished_.size() > 1) return;
  const std::uint64_t one = 1;
  // Cannot fail: the counter is 0 or 1, for drain() resets it under the same lock.
  [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

std::vector<Completion> CompletionQueue::drain() {
  std::vector<Completion> finished;
  std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  [[maybe_unused]] const auto read = ::read(event_, &count, sizeof count);
  finished.swap(finished_);
  return finished;
}

}  // namespace threadkeep::python
