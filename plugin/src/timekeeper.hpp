// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "threadkeep/call.hpp"

namespace threadkeep {

/// Runs functions when their deadline passes, or earlier when asked to, on a thread of its own that
/// starts with the first watch. Functions run without any lock held. Thread-safe.
class Timekeeper {
 public:
  using Id = std::pair<Deadline::Clock::time_point, std::uint64_t>;

  Timekeeper() = default;
  /// Waits for a function that is running; the others never run.
  ~Timekeeper();

  Id watch(Deadline deadline, std::function<void()> function);
  /// Runs the function soon, unless it ran or was forgotten.
  void hurry(const Id& id);
  /// The function does not begin any more.
  void forget(const Id& id);

 private:
  void run();
  bool collect_due(std::vector<std::function<void()>>& due);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Id, std::function<void()>> watched_;
  std::vector<std::function<void()>> hurried_;
  std::uint64_t last_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace threadkeep
