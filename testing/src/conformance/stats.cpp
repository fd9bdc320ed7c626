// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>

#include "cases.hpp"
#include "threadkeep/ids.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_stats_cases() {}

namespace {

// Empty for a backend that does not count, which it may.
std::optional<StoreStats> count(Store& store, const StatsQuery& query = {}) {
  try {
    return store.stats(query, Call{});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unsupported) << error.what();
    return {};
  }
}

// Those of checkpoints: messages and state are in the other suite.
std::string rows(const StoreStats& stats) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(4, stats.entities.size()); ++i) {
    text += stats.entities[i].name + " " + std::to_string(stats.entities[i].rows) + " ";
  }
  return text;
}

TEST_P(Stats, of_an_empty_store_are_zero) {
  const auto stats = count(*store());
  if (!stats) return;
  EXPECT_EQ(rows(*stats), "threads 0 checkpoints 0 blobs 0 writes 0 ");
  EXPECT_TRUE(stats->largest.empty());
  EXPECT_TRUE(stats->checkpoints_by_day.empty());
}

TEST_P(Stats, count_what_is_there) {
  put(Draft("small", "1").value("a", "1", "x"));
  put(Draft("large", "1").value("a", "1", std::string(100'000, 'x')));
  put(Draft("large", "2").parent("1").ns("child").value("a", "2", "x").value("b", "1", "y"));
  put_writes("large", "2", {pending("task", 0, "a", "x"), pending("task", 1, "a", "y")});
  write(PutThread{"named", R"({"user": "u"})"});
  const auto stats = count(*store(), {.largest = 2, .exact = true});
  if (!stats) return;
  EXPECT_EQ(rows(*stats), "threads 3 checkpoints 3 blobs 4 writes 2 ");
  EXPECT_FALSE(stats->estimated);
  ASSERT_EQ(stats->largest.size(), 2U);
  EXPECT_EQ(stats->largest[0].thread_id, "large");
  EXPECT_EQ(stats->largest[0].checkpoints, 2U);
  EXPECT_GT(stats->largest[0].bytes, stats->largest[1].bytes);
  EXPECT_EQ(stats->largest[1].thread_id, "small");
}

TEST_P(Stats, tell_on_which_days_checkpoints_were_made) {
  constexpr std::int64_t day = 86'400'000'000;
  const std::int64_t midnight = 20'000 * day;
  std::int64_t now = midnight - 1'000'000;
  CheckpointIds ids(Environment{[&] { return now; }});
  put(Draft("t", ids.next()));
  now = midnight + 1'000'000;
  put(Draft("t", ids.next()));
  put(Draft("u", ids.next()));
  put(Draft("u", "of no time"));
  const auto stats = count(*store());
  if (!stats) return;
  EXPECT_EQ(stats->checkpoints_by_day,
            (std::map<std::int64_t, std::uint64_t>{{midnight - day, 1}, {midnight, 2}}));
}

TEST_P(Stats, forget_what_was_deleted) {
  put(Draft("t", "1").value("a", "1", "x"));
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  write(DeleteThread{"t"});
  const auto stats = count(*store());
  if (!stats) return;
  EXPECT_EQ(rows(*stats), "threads 0 checkpoints 0 blobs 0 writes 0 ");
  EXPECT_TRUE(stats->largest.empty());
}

TEST_P(Stats, end_when_the_deadline_has_passed) {
  if (!count(*store())) return;
  expect_error(Code::timeout, "", [&] {
    store()->stats({}, Call{.deadline = Deadline::after(std::chrono::seconds(-1)), .stop = {}});
  });
}

}  // namespace

}  // namespace threadkeep::testing
