// SPDX-License-Identifier: Apache-2.0
#include "layers/fallback_watch.hpp"

#include <system_error>
#include <utility>

#include "threadkeep/log.hpp"

namespace threadkeep {

namespace {

constexpr auto longest_attempt = std::chrono::seconds(30);

std::string seconds_since(std::chrono::steady_clock::time_point began) {
  const auto time = std::chrono::steady_clock::now() - began;
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

}  // namespace

FallbackWatch::FallbackWatch(const FallbackOptions& options, Metrics& metrics, TryToEnd try_to_end,
                             Count count)
    : warn_every_(options.warn_every),
      probe_every_(options.probe_every),
      gauge_(metrics.gauge("threadkeep_fallback_active",
                           "Stores that work in their fallback at the moment.")),
      try_to_end_(std::move(try_to_end)),
      count_(std::move(count)) {}

FallbackWatch::~FallbackWatch() {
  thread_ = {};
  if (active_) gauge_.add(-1);
}

void FallbackWatch::notice_backlog() {
  begin("changes that were accepted before wait to be stored");
}

void FallbackWatch::notice_outage(const std::string& why) {
  begin(why);
  {
    const std::scoped_lock lock(mutex_);
    if (std::exchange(told_, true)) return;
  }
  log({LogLevel::warning,
       "fallback_began",
       "the store cannot be reached; threads that are known here go on in the fallback",
       {{"reason", why}}});
}

void FallbackWatch::begin(const std::string& why) {
  {
    const std::scoped_lock lock(mutex_);
    ++noticed_;
    if (!std::exchange(active_, true)) {
      trouble_ = why;
      began_ = warned_ = Clock::now();
      gauge_.add(1);
    }
    start_thread();
  }
  changed_.notify_all();
}

// A machine that has no thread left may have one for the next call.
void FallbackWatch::start_thread() {
  if (thread_.joinable()) return;
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  } catch (const std::system_error& error) {
    trouble_ = std::string("no thread can be started that would store what waits: ") + error.what();
  }
}

bool FallbackWatch::active() const {
  const std::scoped_lock lock(mutex_);
  return active_;
}

std::string FallbackWatch::trouble() const {
  const std::scoped_lock lock(mutex_);
  return active_ ? trouble_ : std::string();
}

void FallbackWatch::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return active_; }) && !stop.stop_requested()) {
    end_outage(stop, lock);
    if (!active_) continue;
    warn(lock);
    changed_.wait_for(lock, stop, probe_every_, [] { return false; });
  }
}

void FallbackWatch::end_outage(const std::stop_token& stop, std::unique_lock<std::mutex>& lock) {
  const std::uint64_t noticed = noticed_;
  lock.unlock();
  const Attempt attempt = try_to_end_({Deadline::after(longest_attempt), stop});
  lock.lock();
  if (!attempt.over) trouble_ = attempt.trouble;
  // A call that failed meanwhile may know more.
  if (!attempt.over || noticed != noticed_) return;
  active_ = told_ = false;
  gauge_.add(-1);
  const std::string lasted = seconds_since(began_);
  lock.unlock();
  const Counts counts = count_();
  log({LogLevel::warning,
       "fallback_ended",
       "the store can be reached again, and all that was accepted meanwhile is stored or was set "
       "aside",
       {{"seconds", lasted},
        {"entries", std::to_string(counts.entries)},
        {"stored", std::to_string(counts.stored)},
        {"forks", std::to_string(counts.forks)},
        {"set_aside", std::to_string(counts.set_aside)}}});
  lock.lock();
}

void FallbackWatch::warn(std::unique_lock<std::mutex>& lock) {
  if (Clock::now() - warned_ < warn_every_) return;
  warned_ = Clock::now();
  const std::string lasted = seconds_since(began_);
  const std::string why = trouble_;
  lock.unlock();
  const Counts counts = count_();
  log({LogLevel::warning,
       "fallback_continues",
       "the store still cannot be used",
       {{"reason", why},
        {"seconds", lasted},
        {"entries", std::to_string(counts.entries)},
        {"stored", std::to_string(counts.stored)},
        {"forks", std::to_string(counts.forks)},
        {"set_aside", std::to_string(counts.set_aside)}}});
  lock.lock();
}

}  // namespace threadkeep
