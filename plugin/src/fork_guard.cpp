// SPDX-License-Identifier: Apache-2.0
#include "fork_guard.hpp"

#include <pthread.h>

#include <atomic>

#include "threadkeep/error.hpp"

namespace threadkeep {

namespace {

std::atomic<unsigned> forks{0};

unsigned generation() noexcept {
  static const int registered =
      pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  static_cast<void>(registered);
  return forks.load(std::memory_order_relaxed);
}

}  // namespace

ForkGuard::ForkGuard() noexcept : generation_(generation()) {}

bool ForkGuard::in_child() const noexcept {
  return generation() != generation_;
}

void ForkGuard::check() const {
  if (!in_child()) return;
  throw Error(Code::unsupported,
              "this store was opened before fork(); open it again in the child process");
}

}  // namespace threadkeep
