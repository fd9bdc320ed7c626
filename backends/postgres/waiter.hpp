// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>

#include "threadkeep/call.hpp"

namespace threadkeep::postgres {

/// Waits for a socket for no longer than a call may take. A stop wakes the wait at once. Used by
/// one thread at a time.
class Waiter {
 public:
  enum class Wake { ready, deadline, stop };

  Waiter();
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// While one lives, the waiter listens to the stop of its call. One at a time.
  class Watch {
   public:
    Watch(Waiter& waiter, const std::stop_token& stop);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// The stop came too late: it wakes nobody any more.
    void end() noexcept { waiter_.stop_ = {}; }

   private:
    Waiter& waiter_;
    std::optional<std::stop_callback<std::function<void()>>> callback_;
  };

  /// Returns `ready` when poll() says so for `events` of the socket, and after `at_most` at the
  /// latest; `stop` when the watched call is stopped, also before; else `deadline`.
  Wake wait(int socket, short events, const Deadline& deadline,
            std::chrono::milliseconds at_most = std::chrono::milliseconds::max());

 private:
  void ring() noexcept;
  void silence() noexcept;

  int bell_;  // an eventfd
  std::stop_token stop_;
};

/// Throws Error(cancelled) or Error(timeout) when the call must not begin.
void check_call(const Call& call);

}  // namespace threadkeep::postgres
