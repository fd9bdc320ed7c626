// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "threadkeep/checkpointer.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

struct sqlite3;

/// \file
/// What the tests of the SQLite backend share: child processes, and a plain handle to look at the
/// file as any other program does.

namespace threadkeep::sqlite_test {

using testing::Draft;
using testing::pending;
using testing::TemporaryDirectory;

/// "sqlite:///tmp/xyz/store.db?parameters"
std::string url_of(const std::filesystem::path& file, const std::string& parameters = {});

Checkpointer open_store(const std::filesystem::path& file, const std::string& parameters = {});

/// The error that a call ends with; fails the test when there is none.
Error error_of(const std::function<void()>& call);

/// Throws when `condition` does not hold: for child processes, where gtest cannot report.
void require(bool condition, const std::string& what);

/// A forked process that runs `body` and ends: 0 when it returns, 1 when it throws. Killed by the
/// destructor if it still runs.
class Child {
 public:
  explicit Child(const std::function<void()>& body);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// True when the body returned.
  bool succeeded();
  /// SIGKILL, and waits for the end.
  void kill();

 private:
  int wait();

  pid_t pid_;
  bool ended_ = false;
};

/// A pipe over which processes tell each other that they have come to a point.
class Signal {
 public:
  Signal();
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void send(int times = 1);
  void wait();
  int read_end() const noexcept { return ends_[0]; }
  int write_end() const noexcept { return ends_[1]; }

 private:
  int ends_[2];
};

/// The file, opened as by any other program.
class RawDatabase {
 public:
  explicit RawDatabase(const std::filesystem::path& file);
  ~RawDatabase();
  RawDatabase(const RawDatabase&) = delete;
  RawDatabase& operator=(const RawDatabase&) = delete;

  /// The rows of one or more statements, columns separated by `|`. Throws std::runtime_error.
  std::vector<std::string> run(const std::string& sql);
  /// The only row.
  std::string value(const std::string& sql);

 private:
  sqlite3* db_ = nullptr;
};

/// Milliseconds that a call takes.
std::chrono::milliseconds duration_of(const std::function<void()>& call);

}  // namespace threadkeep::sqlite_test
