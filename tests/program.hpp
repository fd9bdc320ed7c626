// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace threadkeep::testing {

/// A program that a test starts, and may kill. Its standard output and error come as one text, its
/// input is a text of the test's. Killed when this object goes.
class Program {
 public:
  explicit Program(const std::vector<std::string>& command, const std::string& input = {});
  ~Program();
  Program(Program&& other) noexcept;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// SIGKILL.
  void kill();
  /// Waits for the end; the exit status, or -1 when a signal ended it.
  int wait();
  /// What it printed; complete after wait().
  std::string output() const;

 private:
  pid_t pid_ = -1;
  int status_ = -1;
  int output_ = -1;  // files without a name, so that nobody waits for a reader
};

/// Runs it to the end; what it printed. Fails the test when its status is another.
std::string run_program(const std::vector<std::string>& command, int status = 0,
                        const std::string& input = {});

}  // namespace threadkeep::testing
