// SPDX-License-Identifier: Apache-2.0
#include "waiter.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <system_error>

#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

// Milliseconds for poll(): rounded up, so that it does not return just before the deadline; -1 is
// for ever.
int poll_timeout(const Deadline& deadline, std::chrono::milliseconds at_most) {
  const bool unlimited = at_most == std::chrono::milliseconds::max();
  if (deadline.is_never() && unlimited) return -1;
  auto left =
      deadline.is_never() ? at_most : std::chrono::ceil<std::chrono::milliseconds>(deadline.left());
  left = std::min({left, at_most, std::chrono::milliseconds(std::numeric_limits<int>::max())});
  return static_cast<int>(left.count());
}

}  // namespace

Waiter::Waiter() : bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (bell_ >= 0) return;
  throw Error(Code::unavailable, "no eventfd: " + std::system_category().message(errno));
}

Waiter::~Waiter() {
  close(bell_);
}

void Waiter::ring() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!write(bell_, &one, sizeof one));
}

void Waiter::silence() noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!read(bell_, &count, sizeof count));
}

Waiter::Watch::Watch(Waiter& waiter, const std::stop_token& stop) : waiter_(waiter) {
  if (!stop.stop_possible()) return;
  waiter_.stop_ = stop;
  callback_.emplace(stop, [&waiter] { waiter.ring(); });
}

// The callback has ended, or will not be called, before the bell falls silent.
Waiter::Watch::~Watch() {
  if (!callback_) return;
  callback_.reset();
  end();
  waiter_.silence();
}

Waiter::Wake Waiter::wait(int socket, short events, const Deadline& deadline,
                          std::chrono::milliseconds at_most) {
  for (;;) {
    if (stop_.stop_requested()) return Wake::stop;
    if (deadline.passed()) return Wake::deadline;
    pollfd polled[] = {{socket, events, 0}, {bell_, POLLIN, 0}};
    const int timeout = poll_timeout(deadline, at_most);
    const int count = poll(polled, stop_.stop_possible() ? 2 : 1, timeout);
    if (count < 0 && errno != EINTR) {
      throw Error(Code::unavailable, "poll: " + std::system_category().message(errno));
    }
    const bool waited = count == 0 && !deadline.passed();
    if (waited || (count > 0 && polled[0].revents != 0)) return Wake::ready;
  }
}

void check_call(const Call& call) {
  if (call.stop.stop_requested()) throw Error(Code::cancelled, "the caller asked to stop");
  if (call.deadline.passed()) throw Error(Code::timeout, "the deadline passed");
}

}  // namespace threadkeep::postgres
