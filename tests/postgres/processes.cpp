// SPDX-License-Identifier: Apache-2.0
#include "processes.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <new>
#include <stdexcept>
#include <vector>

namespace threadkeep::postgres_test {

namespace {

int run_to_end(const std::function<void()>& body) noexcept {
  try {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    body();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "in a child process: %s\n", error.what());
    return 1;
  }
}

void* shared_memory(std::size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  require(memory != MAP_FAILED, "mmap");
  return memory;
}

}  // namespace

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

Child::Child(const std::function<void()>& body) : pid_(fork()) {
  require(pid_ >= 0, "fork");
  if (pid_ == 0) _exit(run_to_end(body));
}

Child::~Child() {
  if (!ended_) kill();
}

int Child::wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  ended_ = true;
  return status;
}

bool Child::succeeded() {
  const int status = wait();
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void Child::kill() {
  ::kill(pid_, SIGKILL);
  wait();
}

Barrier::Barrier(unsigned processes) {
  shared_ = static_cast<pthread_barrier_t*>(shared_memory(sizeof(pthread_barrier_t)));
  pthread_barrierattr_t attributes;
  pthread_barrierattr_init(&attributes);
  pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(shared_, &attributes, processes);
  pthread_barrierattr_destroy(&attributes);
}

Barrier::~Barrier() {
  // Not destroyed: that would wait for a process that was killed while it waited.
  munmap(shared_, sizeof(pthread_barrier_t));
}

void Barrier::wait() {
  pthread_barrier_wait(shared_);
}

SharedFlag::SharedFlag() : flag_(new (shared_memory(sizeof *flag_)) std::atomic<bool>(false)) {}

SharedFlag::~SharedFlag() {
  munmap(flag_, sizeof *flag_);
}

void run_processes(int count, const std::function<void(int)>& body) {
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < count; ++i) {
    children.push_back(std::make_unique<Child>([&body, i] { body(i); }));
  }
  for (auto& child : children) EXPECT_TRUE(child->succeeded());
}

}  // namespace threadkeep::postgres_test
