// SPDX-License-Identifier: Apache-2.0
#include "support.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <stdexcept>

namespace threadkeep::sqlite_test {

std::string url_of(const std::filesystem::path& file, const std::string& parameters) {
  return "sqlite://" + file.string() + (parameters.empty() ? "" : "?" + parameters);
}

Checkpointer open_store(const std::filesystem::path& file, const std::string& parameters) {
  return Checkpointer(open(url_of(file, parameters)));
}

Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "an error was expected";
  return Error(Code::internal, "none");
}

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

namespace {

int run_to_end(const std::function<void()>& body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "in a child process: %s\n", error.what());
    return 1;
  }
}

}  // namespace

Child::Child(const std::function<void()>& body) : pid_(fork()) {
  if (pid_ < 0) throw std::runtime_error("fork failed");
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

Signal::Signal() {
  if (pipe(ends_) != 0) throw std::runtime_error("pipe failed");
}

Signal::~Signal() {
  close(ends_[0]);
  close(ends_[1]);
}

void Signal::send(int times) {
  for (int i = 0; i < times; ++i) require(write(ends_[1], "x", 1) == 1, "write to a pipe");
}

void Signal::wait() {
  char byte = 0;
  require(read(ends_[0], &byte, 1) == 1, "read from a pipe");
}

RawDatabase::RawDatabase(const std::filesystem::path& file) {
  if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) throw std::runtime_error("cannot open");
  sqlite3_busy_timeout(db_, 5000);
}

RawDatabase::~RawDatabase() {
  sqlite3_close(db_);
}

std::vector<std::string> RawDatabase::run(const std::string& sql) {
  std::vector<std::string> rows;
  const auto add_row = [](void* to, int columns, char** values, char**) {
    std::string row;
    for (int i = 0; i < columns; ++i) {
      row.append(i == 0 ? "" : "|").append(values[i] ? values[i] : "NULL");
    }
    static_cast<std::vector<std::string>*>(to)->push_back(row);
    return 0;
  };
  if (sqlite3_exec(db_, sql.c_str(), add_row, &rows, nullptr) != SQLITE_OK) {
    throw std::runtime_error(std::string(sqlite3_errmsg(db_)) + " in: " + sql);
  }
  return rows;
}

std::string RawDatabase::value(const std::string& sql) {
  const auto rows = run(sql);
  require(rows.size() == 1, "one row was expected of: " + sql);
  return rows.front();
}

std::chrono::milliseconds duration_of(const std::function<void()>& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start);
}

}  // namespace threadkeep::sqlite_test
