// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <functional>

/// \file
/// Child processes, and how they set off together.

namespace threadkeep::postgres_test {

/// Throws when `condition` does not hold: for child processes, where gtest cannot report.
void require(bool condition, const char* what);

/// A forked process that runs `body` and ends: 0 when it returns, 1 when it throws. Killed by the
/// destructor if it still runs, and by the system when the test program is gone.
class Child {
 public:
  explicit Child(const std::function<void()>& body);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Waits for the end; true when the body returned.
  bool succeeded();
  /// SIGKILL, and waits for the end.
  void kill();

 private:
  int wait();

  pid_t pid_;
  bool ended_ = false;
};

/// A point at which a number of processes wait for each other, again and again. Made before they
/// are forked.
class Barrier {
 public:
  explicit Barrier(unsigned processes);
  ~Barrier();
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  void wait();

 private:
  pthread_barrier_t* shared_;
};

/// Something that one process tells all others. Made before they are forked.
class SharedFlag {
 public:
  SharedFlag();
  ~SharedFlag();
  SharedFlag(const SharedFlag&) = delete;
  SharedFlag& operator=(const SharedFlag&) = delete;

  void set() { *flag_ = true; }
  void clear() { *flag_ = false; }
  bool is_set() const { return *flag_; }

 private:
  std::atomic<bool>* flag_;
};

/// Runs `body(i)` in `count` processes; fails the test unless all succeed.
void run_processes(int count, const std::function<void(int)>& body);

}  // namespace threadkeep::postgres_test
