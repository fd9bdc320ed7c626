// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <iterator>
#include <mutex>
#include <string>
#include <vector>

#include "threadkeep/log.hpp"

namespace threadkeep::testing {

/// What the process logs while this lives. Thread-safe; one at a time.
class Logged {
 public:
  Logged() {
    set_log_sink([this](const LogRecord& record) {
      const std::scoped_lock lock(mutex_);
      records_.push_back(record);
    });
  }
  ~Logged() { set_log_sink({}); }
  Logged(const Logged&) = delete;
  Logged& operator=(const Logged&) = delete;

  std::vector<LogRecord> of(const std::string& event) const {
    const std::scoped_lock lock(mutex_);
    std::vector<LogRecord> found;
    std::copy_if(records_.begin(), records_.end(), std::back_inserter(found),
                 [&](const LogRecord& record) { return record.event == event; });
    return found;
  }
  std::size_t count(const std::string& event) const { return of(event).size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<LogRecord> records_;
};

}  // namespace threadkeep::testing
