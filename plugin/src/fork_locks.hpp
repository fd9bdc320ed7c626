// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>

#include "fork_guard.hpp"

namespace threadkeep {

/// A mutex of an object that does not survive fork(): who locks it in a child, where a thread that
/// does not exist may hold it, gets Error(unsupported) instead of waiting for ever.
template <class Mutex>
class OwnProcess {
 public:
  void lock() {
    fork_guard_.check();
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }
  void lock_shared() {
    fork_guard_.check();
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }

 private:
  const ForkGuard fork_guard_;
  Mutex mutex_;
};

/// For what the whole process shares, and a child goes on with: no fork happens while another
/// thread holds `mutex`, so that the child finds it free and what it guards whole. `in_child` runs
/// there first, with all such mutexes held. The mutex lives for ever, and is never held while
/// somebody else's code runs or another such mutex is taken.
void hold_over_forks(std::mutex& mutex, std::function<void()> in_child = {});

/// Keeps this process from forking as long as it is there: for a call of a library that has locks
/// of its own, which a child would find held for ever. A fork waits for the call, so it must not
/// wait for others, nor call back. A thread has one at a time.
class NoForkNow {
 public:
  NoForkNow() noexcept;
  ~NoForkNow();
  NoForkNow(const NoForkNow&) = delete;
  NoForkNow& operator=(const NoForkNow&) = delete;
};

}  // namespace threadkeep
