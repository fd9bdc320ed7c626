// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "migration/tier/plan.hpp"

namespace threadkeep::migration {

/// Hands the steps of a plan to several jobs: in their order, but none before those that have the
/// rows which its own refer to. Thread-safe.
class StepQueue {
 public:
  explicit StepQueue(const Plan& plan);

  /// The next step, by its number. Waits where another must end first. Absent when nothing is left
  /// to begin.
  std::optional<std::size_t> take();
  void done(std::size_t step);
  /// No other step is handed out.
  void stop();

 private:
  std::optional<std::size_t> find_ready() const;

  std::vector<std::set<std::size_t>> waits_for_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::size_t> waiting_;  // guarded by mutex_, like the next two
  std::set<std::size_t> done_;
  bool stopped_ = false;
};

}  // namespace threadkeep::migration
