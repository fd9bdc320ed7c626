// SPDX-License-Identifier: Apache-2.0
#include "findings.hpp"

#include <gtest/gtest.h>

namespace threadkeep {
namespace {

constexpr std::int64_t second = 1'000'000;

std::string clock(std::int64_t before, std::int64_t theirs, std::int64_t after) {
  const Finding finding = judge_clock(before, theirs, after);
  return finding.level == Finding::Level::good ? "good" : finding.text;
}

TEST(Findings, judge_clocks_by_what_must_differ) {
  EXPECT_EQ(clock(100 * second, 100 * second, 100 * second), "good");
  EXPECT_EQ(clock(100 * second, 107 * second, 110 * second), "good") << "the answer took long";
  EXPECT_EQ(clock(100 * second, 101 * second - 1, 100 * second), "good");
  EXPECT_EQ(clock(100 * second, 105 * second, 102 * second), "the server's is 3 s ahead of ours");
  EXPECT_EQ(clock(100 * second, 10 * second, 100 * second), "the server's is 90 s behind ours");
}

TEST(Findings, judge_connections_by_what_a_pool_still_takes) {
  EXPECT_EQ(judge_connections(10, 100, 8).level, Finding::Level::good);
  EXPECT_EQ(judge_connections(95, 100, 8).level, Finding::Level::warning);
}

}  // namespace
}  // namespace threadkeep
