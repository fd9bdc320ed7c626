// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/metrics.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "metric_values.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::testing {
namespace {

using namespace std::chrono_literals;

TEST(Metrics, have_one_cell_for_a_name_and_labels) {
  Metrics metrics;
  metrics.counter("c", "", {{"a", "1"}}).add(2);
  metrics.counter("c", "", {{"a", "1"}}).add();
  metrics.counter("c", "", {{"a", "2"}}).add(7);
  metrics.gauge("g", "").add(-3);
  EXPECT_EQ(value_of(metrics, "c", {{"a", "1"}}), 3);
  EXPECT_EQ(value_of(metrics, "c", {{"a", "2"}}), 7);
  EXPECT_EQ(value_of(metrics, "c"), -1);
  EXPECT_EQ(sample_of(metrics, "g")->value, -3);
}

TEST(Metrics, refuse_a_name_of_another_kind) {
  Metrics metrics;
  metrics.counter("c", "");
  for (const auto& other : {+[](Metrics& m) { m.gauge("c", ""); },
                            +[](Metrics& m) {
                              m.histogram("c", "", {{"a", "1"}});
                            }}) {
    try {
      other(metrics);
      FAIL() << "took it";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument);
      EXPECT_NE(error.message().find("'c'"), std::string::npos);
    }
  }
}

TEST(Metrics, put_times_into_buckets_that_include_their_limit) {
  Histogram histogram;
  histogram.observe(0s);
  histogram.observe(50us);
  histogram.observe(50'001ns);
  histogram.observe(30s);
  histogram.observe(31s);
  const auto values = histogram.values();
  EXPECT_EQ(values.counts[0], 2U);
  EXPECT_EQ(values.counts[1], 1U);
  EXPECT_EQ(values.counts[Histogram::limits.size() - 1], 1U);
  EXPECT_EQ(values.counts[Histogram::limits.size()], 1U);
  EXPECT_EQ(values.count, 5U);
  EXPECT_NEAR(values.sum, 61.000100001, 1e-9);
}

// Many threads count in the same cells, and in cells that they make, while others look.
TEST(Metrics, lose_nothing_that_threads_count_at_once) {
  Metrics metrics;
  constexpr int threads = 8;
  constexpr int rounds = 2'000;
  std::atomic<bool> done = false;
  std::thread reader([&] {
    double last = 0;
    while (!done) {
      const double now = value_of(metrics, "shared");
      EXPECT_TRUE(now == -1 || now >= last);
      last = std::max(last, now);
    }
  });
  std::vector<std::thread> writers;
  for (int t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      Counter& shared = metrics.counter("shared", "");
      for (int i = 0; i < rounds; ++i) {
        shared.add();
        metrics.gauge("level", "").add(i % 2 == 0 ? 1 : -1);
        metrics.histogram("times", "").observe(1ms);
        metrics.counter("own", "", {{"n", std::to_string(i % 50)}}).add();
        if (t == 0) metrics.snapshot();
      }
    });
  }
  for (auto& writer : writers) writer.join();
  done = true;
  reader.join();
  EXPECT_EQ(value_of(metrics, "shared"), threads * rounds);
  EXPECT_EQ(value_of(metrics, "level"), 0);
  EXPECT_EQ(sample_of(metrics, "times")->histogram.count, static_cast<unsigned>(threads * rounds));
  EXPECT_EQ(value_of(metrics, "own", {{"n", "49"}}), threads * rounds / 50);
}

}  // namespace
}  // namespace threadkeep::testing
