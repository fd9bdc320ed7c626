// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "threadkeep/prometheus.hpp"

namespace threadkeep::testing {
namespace {

using namespace std::chrono_literals;

TEST(PrometheusText, says_counters_and_gauges_with_help_type_and_labels) {
  Metrics metrics;
  metrics.counter("threadkeep_a_total", "How often.", {{"backend", "memory"}, {"x", "1"}}).add(3);
  metrics.gauge("threadkeep_b", "How much.").set(-2);
  EXPECT_EQ(prometheus_text(metrics.snapshot()),
            "# HELP threadkeep_a_total How often.\n"
            "# TYPE threadkeep_a_total counter\n"
            "threadkeep_a_total{backend=\"memory\",x=\"1\"} 3\n"
            "# HELP threadkeep_b How much.\n"
            "# TYPE threadkeep_b gauge\n"
            "threadkeep_b -2\n");
}

TEST(PrometheusText, accumulates_the_buckets_of_a_histogram) {
  Metrics metrics;
  auto& times = metrics.histogram("t_seconds", "Time.");
  times.observe(40us);
  times.observe(1s);
  times.observe(60s);
  const std::string text = prometheus_text(metrics.snapshot());
  for (const char* line :
       {"# TYPE t_seconds histogram\n", "\nt_seconds_count 3\n", "\nt_seconds_sum 61.00004",
        "{le=\"0.5\"} 1\n", "{le=\"1\"} 2\n", "{le=\"30\"} 2\n", "{le=\"+Inf\"} 3\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
  std::size_t buckets = 0;
  for (auto at = text.find("t_seconds_bucket"); at != std::string::npos;
       at = text.find("t_seconds_bucket", at + 1)) {
    ++buckets;
  }
  EXPECT_EQ(buckets, Histogram::limits.size() + 1);
}

TEST(PrometheusText, escapes_what_a_label_may_hold) {
  Metrics metrics;
  metrics.counter("c", "", {{"l", "a\"b\\c\nd"}}).add();
  EXPECT_NE(prometheus_text(metrics.snapshot()).find(R"(c{l="a\"b\\c\nd"} 1)"), std::string::npos);
}

}  // namespace
}  // namespace threadkeep::testing
