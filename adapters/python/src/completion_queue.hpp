// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "convert.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::python {

/// The end of an asynchronous call; `token` is what the caller named it.
struct Completion {
  std::uint64_t token = 0;
  Result result;
  std::optional<Error> error;
};

/// Carries finished calls from the threads of stores to one event loop.
///
/// Threads of stores push, without the GIL; the loop watches fileno() and drains. The descriptor
/// becomes readable when the queue goes from empty to non-empty, so a burst of completions wakes
/// the loop once. Thread-safe. Calls in flight share the queue, so it may outlive its loop.
class CompletionQueue {
 public:
  /// Throws Error(unavailable) when the process has no descriptor left.
  CompletionQueue();
  ~CompletionQueue();
  CompletionQueue(const CompletionQueue&) = delete;
  CompletionQueue& operator=(const CompletionQueue&) = delete;

  int fileno() const noexcept { return event_; }
  void push(Completion completion) noexcept;
  std::vector<Completion> drain();

 private:
  std::mutex mutex_;
  std::vector<Completion> finished_;
  int event_ = -1;
};

/// The queue as Python holds it. Calls in flight share the inner object and know nothing of Python:
/// letting go of a Python object would take the GIL on a thread of the store.
struct LoopQueue {
  std::shared_ptr<CompletionQueue> queue = std::make_shared<CompletionQueue>();
};

}  // namespace threadkeep::python
