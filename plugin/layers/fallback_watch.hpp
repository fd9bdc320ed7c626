// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "threadkeep/call.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/layers.hpp"

namespace threadkeep {

/// Knows whether there is an outage, tells the log and the gauge, and tries on a thread of its own
/// to end it. The thread starts with the first outage. Thread-safe.
class FallbackWatch {
 public:
  /// What an attempt to end the outage came to.
  struct Attempt {
    bool over = false;    ///< The primary answers, and nothing waits.
    std::string trouble;  ///< Why not.
  };
  using TryToEnd = std::function<Attempt(const Call&)>;
  /// How much waits, was stored and was not, for the log.
  struct Counts {
    std::uint64_t entries = 0;
    std::uint64_t stored = 0;  ///< Since the store was opened; forks too.
    std::uint64_t forks = 0;
    std::uint64_t set_aside = 0;
  };
  using Count = std::function<Counts()>;

  FallbackWatch(const FallbackOptions& options, Metrics& metrics, TryToEnd try_to_end, Count count);
  /// Ends the thread; an attempt under way is cancelled.
  ~FallbackWatch();
  FallbackWatch(const FallbackWatch&) = delete;
  FallbackWatch& operator=(const FallbackWatch&) = delete;

  /// A call failed. Not to be called with a lock of a lane, for it tells the log.
  void notice_outage(const std::string& why);
  /// Something waits.
  void notice_backlog();
  bool active() const;
  /// Why the outage lasts; empty when there is none.
  std::string trouble() const;

 private:
  void begin(const std::string& why);
  void start_thread();
  void run(const std::stop_token& stop);
  void end_outage(const std::stop_token& stop, std::unique_lock<std::mutex>& lock);
  void warn(std::unique_lock<std::mutex>& lock);

  using Clock = std::chrono::steady_clock;

  const std::chrono::milliseconds warn_every_;
  const std::chrono::milliseconds probe_every_;
  Gauge& gauge_;
  const TryToEnd try_to_end_;
  const Count count_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool active_ = false;
  bool told_ = false;  // the log knows of the outage
  std::uint64_t noticed_ = 0;
  std::string trouble_;
  Clock::time_point began_;
  Clock::time_point warned_;
  std::jthread thread_;  // last: it uses what is above
};

}  // namespace threadkeep
