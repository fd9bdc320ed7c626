// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

namespace threadkeep::soak {

using namespace std::chrono_literals;

Process::Process(const std::vector<std::string>& arguments) {
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[0], STDIN_FILENO);
  std::vector<char*> words{const_cast<char*>("soak")};
  for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  const int failed = posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe[0]);
  input_ = pipe[1];
  if (failed != 0) throw std::system_error(failed, std::generic_category(), "spawn");
}

Process::~Process() {
  kill();
}

Process::Process(Process&& other) noexcept {
  swap(other);
}

Process& Process::operator=(Process&& other) noexcept {
  swap(other);
  return *this;
}

void Process::swap(Process& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(input_, other.input_);
}

void Process::kill() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (input_ >= 0) close(input_);
  pid_ = input_ = -1;
}

bool Process::end() {
  close(std::exchange(input_, -1));
  const auto latest = std::chrono::steady_clock::now() + 5min;
  int status = 0;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > latest) return false;
    std::this_thread::sleep_for(10ms);
  }
  pid_ = -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace threadkeep::soak
