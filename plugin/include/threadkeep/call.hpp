// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <stop_token>

namespace threadkeep {

/// The moment after which a call must have ended, on the steady clock.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  /// 30 seconds from now: no call waits for ever unless it asks to.
  Deadline() : at_(Clock::now() + std::chrono::seconds(30)) {}
  explicit Deadline(Clock::time_point at) : at_(at) {}

  /// Durations that would overflow the clock mean never.
  static Deadline after(std::chrono::nanoseconds duration) {
    const auto now = Clock::now();
    return duration > Clock::time_point::max() - now ? never() : Deadline(now + duration);
  }
  static Deadline never() { return Deadline(Clock::time_point::max()); }

  Clock::time_point at() const noexcept { return at_; }
  bool is_never() const noexcept { return at_ == Clock::time_point::max(); }
  bool passed() const noexcept { return !is_never() && Clock::now() >= at_; }
  /// Time left; zero when passed.
  std::chrono::nanoseconds left() const noexcept {
    if (is_never()) return std::chrono::nanoseconds::max();
    const auto rest = at_ - Clock::now();
    return rest > rest.zero() ? rest : rest.zero();
  }

  friend auto operator<=>(const Deadline&, const Deadline&) = default;

 private:
  Clock::time_point at_;
};

/// How one call is to be carried out; travels through every layer down to the backend.
///
/// When the deadline passes the call ends with Error: `timeout` if nothing was done,
/// `outcome_unknown` if a write was under way. When `stop` is requested, a call that has not begun
/// ends with `cancelled`; one that has begun as soon as the backend can: `cancelled` if it was
/// undone, normally if it was too late, `outcome_unknown` if the server falls silent over it.
struct Call {
  Deadline deadline;
  std::stop_token stop;
};

}  // namespace threadkeep
