// SPDX-License-Identifier: Apache-2.0
// What a whole process shares, and what becomes of it in a child.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "fork_locks.hpp"
#include "forks/child.hpp"
#include "threadkeep/log.hpp"
#include "threadkeep/metrics.hpp"
#include "threadkeep/prometheus.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/statsd.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::forks_test {
namespace {

using postgres_test::require;

// A sink may wait for anything, also for the thread that forks.
TEST(Forks, do_not_wait_for_a_sink) {
  std::latch entered(1);
  std::promise<void> forked;
  std::atomic<int> records = 0;
  set_log_sink([&, is_forked = forked.get_future().share()](const LogRecord& record) {
    if (record.event == "first") {
      entered.count_down();
      is_forked.wait();
    }
    ++records;
  });
  std::thread logging([] { log({LogLevel::info, "first", "waits", {}}); });
  entered.wait();
  EXPECT_TRUE(succeeds_in_child([&] {
    log({LogLevel::info, "second", "goes through", {}});
    require(records == 1, "the child's record");
    set_log_sink({});
  }));
  forked.set_value();
  logging.join();
  EXPECT_EQ(records, 1);
  set_log_sink({});
}

TEST(Forks, leave_the_metrics_whole) {
  std::atomic<bool> stop = false;
  std::atomic<int> made = 0;
  std::thread counting([&] {
    while (!stop) {
      const std::string label = std::to_string(made++ % 1000);
      Metrics::process()->counter("forks_test_total", "", {{"n", label}}).add();
      Metrics::process()->snapshot();
    }
  });
  while (made < 10) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(succeeds_in_child([] {
      Metrics::process()->counter("forks_test_total", "", {{"n", "child"}}).add();
      require(!Metrics::process()->snapshot().empty(), "metrics");
    })) << i;
  }
  stop = true;
  counting.join();
}

TEST(Forks, begin_gauges_anew_and_go_on_with_counters) {
  auto& gauge = Metrics::process()->gauge("forks_test_gauge", "");
  auto& counter = Metrics::process()->counter("forks_test_counted_total", "");
  gauge.set(3);
  counter.add(5);
  const auto counted = counter.value();
  EXPECT_TRUE(succeeds_in_child([&] {
    require(gauge.value() == 0, "the gauge");
    require(counter.value() == counted, "the counter");
  }));
  EXPECT_EQ(gauge.value(), 3);
}

TEST(Forks, leave_exporters_to_the_parent) {
  auto endpoint = std::make_unique<PrometheusEndpoint>("127.0.0.1:0");
  auto reporter = std::make_unique<StatsdReporter>(StatsdOptions());
  EXPECT_TRUE(succeeds_in_child([&] {
    expect_refused([&] { reporter->report(); });
    endpoint.reset();
    reporter.reset();
    PrometheusEndpoint own("127.0.0.1:0");
    require(own.port() > 0, "an endpoint of its own");
    StatsdReporter(StatsdOptions()).report();
  }));
}

TEST(Forks, refuse_the_locks_of_their_parent) {
  OwnProcess<std::shared_mutex> mutex;
  std::latch locked(1);
  std::latch over(1);
  std::thread holder([&] {
    const std::unique_lock lock(mutex);
    locked.count_down();
    over.wait();
  });
  locked.wait();
  EXPECT_TRUE(succeeds_in_child([&] {
    expect_refused([&] { const std::unique_lock lock(mutex); });
    expect_refused([&] { const std::shared_lock lock(mutex); });
  }));
  over.count_down();
  holder.join();
}

// Without a Store around it, which refuses by itself.
TEST(Forks, are_refused_by_every_backend) {
  for (const std::string url :
       {"memory:", "memory:?breaker=on", "memory:?retry=3",
        "postgresql://u@127.0.0.1:1/d?breaker=on&retry=3", "redis://127.0.0.1:1/0?breaker=on"}) {
    auto backend = Registry::builtin().open(url);
    EXPECT_TRUE(succeeds_in_child([&] {
      expect_refused([&] { backend->get({"t", "", {}, {}}, Call()); });
      expect_refused([&] { backend->threads({}, Call()); });
      backend.reset();
    })) << url;
  }
}

}  // namespace
}  // namespace threadkeep::forks_test
