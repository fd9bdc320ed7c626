// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace threadkeep::testing {

using Command = std::vector<std::string>;

/// Runs a program to its end and returns what it printed. Throws std::runtime_error with all of
/// that when it fails. Variables that steer a client of Postgres are kept from it.
std::string run_command(const Command& command);

/// The command as it runs without the rights of root, which servers refuse: as the user
/// `postgres`, or `nobody` where there is none. Unchanged for other users.
Command unprivileged(Command command);
/// Gives a directory to the user of unprivileged(), for whom all above it must be accessible.
void hand_over(const std::filesystem::path& directory);

/// A port of 127.0.0.1 on which nobody listens at the moment.
std::uint16_t free_port();
bool accepts_connections(std::uint16_t port);

/// A server that runs for a test program, without the rights of root.
///
/// Between the two stands a guardian, a shell that waits for the end of a stream: when the
/// program is gone, however it ended, it ends the server and removes its directory. Not
/// thread-safe.
class GuardedProcess {
 public:
  /// `end_signal` ("QUIT") is what ends the server at once. Output is appended to `log`.
  GuardedProcess(const Command& command, std::string end_signal, const std::filesystem::path& log,
                 const std::filesystem::path& directory);
  /// Ends the server by its end signal, unless it has ended. Nothing in a forked process.
  ~GuardedProcess();
  GuardedProcess(const GuardedProcess&) = delete;
  GuardedProcess& operator=(const GuardedProcess&) = delete;

  pid_t pid() const noexcept { return pid_; }
  /// Its process is there and is no zombie.
  bool runs() const;
  /// Sends the signal and waits for the end; SIGKILL when that takes too long.
  void end(const std::string& signal);
  /// SIGKILL for the server and all its children at one moment: none sees the other go first.
  void kill();

 private:
  void tell(const std::string& signal);
  bool wait(std::chrono::milliseconds time);
  void reap();

  const pid_t owner_;
  const std::string end_signal_;
  pid_t guardian_ = -1;
  pid_t pid_ = -1;
  int control_ = -1;  // to the guardian; closed means: the program is gone
  int report_ = -1;   // from the guardian; its end means: all is over
};

}  // namespace threadkeep::testing
