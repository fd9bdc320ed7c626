// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/log.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace threadkeep::testing {
namespace {

class Log : public ::testing::Test {
 protected:
  ~Log() override { set_log_sink({}); }
};

TEST_F(Log, gives_records_to_the_sink_as_they_are) {
  std::vector<LogRecord> records;
  set_log_sink([&](const LogRecord& record) { records.push_back(record); });
  log({LogLevel::debug, "tried", "It was tried.", {{"times", "3"}}});
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].level, LogLevel::debug);
  EXPECT_EQ(records[0].event, "tried");
  EXPECT_EQ(records[0].message, "It was tried.");
  ASSERT_EQ(records[0].fields.size(), 1U);
  EXPECT_EQ(records[0].fields[0].key + "=" + records[0].fields[0].value, "times=3");
}

TEST_F(Log, writes_warnings_and_errors_to_standard_error_without_a_sink) {
  ::testing::internal::CaptureStderr();
  log({LogLevel::debug, "a", "Debug.", {}});
  log({LogLevel::info, "b", "Info.", {}});
  log({LogLevel::warning, "c", "It works in the fallback.", {{"entries", "12"}}});
  set_log_sink([](const LogRecord&) {});
  log({LogLevel::error, "d", "Not shown.", {}});
  set_log_sink({});
  log({LogLevel::error, "e", "It broke.", {}});
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "threadkeep: warning: It works in the fallback. entries=12\n"
            "threadkeep: error: It broke.\n");
}

TEST_F(Log, survives_a_sink_that_throws) {
  int calls = 0;
  set_log_sink([&](const LogRecord&) {
    ++calls;
    throw std::runtime_error("sink");
  });
  log({LogLevel::error, "a", "", {}});
  log({LogLevel::error, "b", "", {}});
  EXPECT_EQ(calls, 2);
}

// What a sink refers to may go once set_log_sink() has returned.
TEST_F(Log, calls_the_old_sink_no_more_once_it_is_replaced) {
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (int t = 0; t < 3; ++t) {
    writers.emplace_back([&] {
      while (!stop) log({LogLevel::info, "event", "", {}});
    });
  }
  std::atomic<int> late = 0;
  for (int round = 0; round < 300; ++round) {
    auto alive = std::make_shared<std::atomic<bool>>(true);
    set_log_sink([alive, &late](const LogRecord&) { late += *alive ? 0 : 1; });
    set_log_sink([](const LogRecord&) {});
    *alive = false;
    EXPECT_EQ(alive.use_count(), 1);
  }
  stop = true;
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(late, 0);
}

}  // namespace
}  // namespace threadkeep::testing
