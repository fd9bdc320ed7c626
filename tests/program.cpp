// SPDX-License-Identifier: Apache-2.0
#include "program.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace threadkeep::testing {

namespace {

int memory_file(const std::string& content) {
  const int file = memfd_create("program", MFD_CLOEXEC);
  const auto size = static_cast<ssize_t>(content.size());
  if (file < 0 || pwrite(file, content.data(), content.size(), 0) != size) {
    throw std::runtime_error("cannot make a file in memory");
  }
  return file;
}

}  // namespace

Program::Program(const std::vector<std::string>& command, const std::string& input)
    : output_(memory_file("")) {
  const int in = memory_file(input);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output_, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output_, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int failed =
      posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(in);
  if (failed != 0) throw std::runtime_error("cannot start " + command.front());
}

Program::Program(Program&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      status_(other.status_),
      output_(std::exchange(other.output_, -1)) {}

Program::~Program() {
  kill();
  wait();
  if (output_ >= 0) close(output_);
}

void Program::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

int Program::wait() {
  int status = 0;
  if (pid_ > 0 && waitpid(pid_, &status, 0) == pid_) {
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  pid_ = -1;
  return status_;
}

std::string Program::output() const {
  struct stat found {};
  fstat(output_, &found);
  std::string text(static_cast<std::size_t>(found.st_size), '\0');
  const auto size = pread(output_, text.data(), text.size(), 0);
  text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return text;
}

std::string run_program(const std::vector<std::string>& command, int status,
                        const std::string& input) {
  Program program(command, input);
  const int found = program.wait();
  EXPECT_EQ(found, status) << command.front() << ": " << program.output();
  return program.output();
}

}  // namespace threadkeep::testing
