// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

#include "threadkeep/log.hpp"

namespace threadkeep::python {

/// Log records on their way to Python's logging. Any thread of a store pushes, and needs neither
/// the GIL nor a working interpreter for it; one thread of Python takes. Thread-safe.
class LogQueue {
 public:
  /// More are counted and dropped.
  static constexpr std::size_t max_records = 1000;

  struct Taken {
    std::deque<LogRecord> records;
    std::size_t dropped = 0;
    bool closed = false;
  };

  void push(const LogRecord& record);
  /// Waits until there is a record or the queue is closed.
  Taken take();
  /// What was pushed before is taken all the same; what comes later is dropped.
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Taken waiting_;
};

/// Module functions: log_open(), log_take(), log_close().
void bind_log_queue(nanobind::module_& module);

}  // namespace threadkeep::python
