// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace threadkeep::soak {

/// Another process of this program. It is asked to end by the end of its standard input, which
/// comes also when this process is gone. Killed by the destructor. Not thread-safe.
class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  pid_t pid() const noexcept { return pid_; }
  /// SIGKILL, and waits for the end.
  void kill();
  /// Asks it to end and waits; true when it ended with status 0 within five minutes.
  bool end();

 private:
  void swap(Process& other) noexcept;

  pid_t pid_ = -1;
  int input_ = -1;
};

}  // namespace threadkeep::soak
