// SPDX-License-Identifier: Apache-2.0
#include "fork_guard.hpp"

#include <pthread.h>

#include <atomic>
#include <utility>
#include <vector>

#include "fork_locks.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep {

namespace {

struct Held {
  std::mutex& mutex;
  std::function<void()> in_child;
};

// Never destroyed: threads that outlive main() may fork.
struct Forks {
  std::atomic<unsigned> count{0};
  pthread_rwlock_t calls = free_calls;  // shared by NoForkNow
  std::mutex mutex;
  std::vector<Held> held;  // guarded by mutex

  // A fork goes before calls that begin now, or it might wait for ever.
  static constexpr pthread_rwlock_t free_calls = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

  void begin() {
    pthread_rwlock_wrlock(&calls);
    mutex.lock();
    for (const Held& each : held) each.mutex.lock();
  }
  void end() {
    for (const Held& each : held) each.mutex.unlock();
    mutex.unlock();
    pthread_rwlock_unlock(&calls);
  }
  void end_in_child() {
    count.fetch_add(1, std::memory_order_relaxed);
    for (const Held& each : held) {
      if (each.in_child) each.in_child();
    }
    end();
    calls = free_calls;  // those who wait for it in the parent are not here
  }
};

Forks& forks() {
  static Forks& all = []() -> Forks& {
    pthread_atfork([] { forks().begin(); }, [] { forks().end(); }, [] { forks().end_in_child(); });
    return *new Forks;
  }();
  return all;
}

}  // namespace

ForkGuard::ForkGuard() noexcept : generation_(forks().count.load(std::memory_order_relaxed)) {}

bool ForkGuard::in_child() const noexcept {
  return forks().count.load(std::memory_order_relaxed) != generation_;
}

void ForkGuard::check() const {
  if (!in_child()) return;
  throw Error(Code::unsupported,
              "this store was opened before fork(); open it again in the child process");
}

void hold_over_forks(std::mutex& mutex, std::function<void()> in_child) {
  Forks& all = forks();
  const std::lock_guard lock(all.mutex);
  all.held.push_back({mutex, std::move(in_child)});
}

NoForkNow::NoForkNow() noexcept {
  pthread_rwlock_rdlock(&forks().calls);
}

NoForkNow::~NoForkNow() {
  pthread_rwlock_unlock(&forks().calls);
}

}  // namespace threadkeep
