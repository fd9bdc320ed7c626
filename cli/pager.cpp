// SPDX-License-Identifier: Apache-2.0
#include "pager.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <string>

#include "terminal.hpp"

namespace threadkeep::cli {

namespace {

std::string program() {
  for (const char* name : {"THREADKEEP_PAGER", "PAGER"}) {
    if (const char* value = std::getenv(name)) return value;
  }
  return "less -FRX";
}

// Runs it by the shell, which knows what is quoted, with `input` as standard input. 127 is the
// shell's way to say that there is no such program, so that is asked first.
pid_t start(const std::string& command, int input) {
  const std::string checked = "command -v " + command.substr(0, command.find(' ')) +
                              " >/dev/null || exec cat; exec " + command;
  std::array<std::string, 3> words = {"sh", "-c", checked};
  std::array<char*, 4> arguments = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  pid_t pid = -1;
  const int failed = posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? pid : -1;
}

}  // namespace

Pager::Pager() {
  const std::string command = program();
  remember_terminal();
  if (::isatty(STDOUT_FILENO) != 1 || command.empty() || command == "cat") return;
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return;
  pager_ = start(command, pipe[0]);
  if (pager_ > 0) ::dup2(pipe[1], STDOUT_FILENO);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

// The pager sees the end of its input when nothing has the pipe open any more.
Pager::~Pager() {
  if (pager_ <= 0) return;
  std::cout << std::flush;
  ::close(STDOUT_FILENO);
  while (::waitpid(pager_, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace threadkeep::cli
