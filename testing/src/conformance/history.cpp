// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_history_cases() {}

namespace {

using Strings = std::vector<std::string>;

std::string seed_of(const ChannelHistory& history) {
  return history.seed ? std::string(history.seed->data.view()) : "none";
}

TEST_P(History, has_the_writes_oldest_first) {
  put(Draft("t", "0").value("a", "0", "snapshot"));
  put(Draft("t", "1").parent("0").carries("a", "1"));
  put(Draft("t", "2").parent("1").carries("a", "2"));
  put(Draft("t", "3").parent("2").carries("a", "3"));
  for (const auto* id : {"2", "0", "1", "3"}) put_writes("t", id, {pending("task", 0, "a", id)});
  const auto found = history("t", "a", "3");
  EXPECT_EQ(found.channel, "a");
  EXPECT_EQ(seed_of(found), "snapshot");
  EXPECT_EQ(describe(found.writes), (Strings{"task 0 a 0", "task 0 a 1", "task 0 a 2"}));
}

TEST_P(History, starts_at_the_nearest_value) {
  put(Draft("t", "1").value("a", "1", "old"));
  put_writes("t", "1", {pending("task", 0, "a", "before")});
  put(Draft("t", "2").parent("1").value("a", "2", "nearest"));
  put_writes("t", "2", {pending("task", 0, "a", "at the seed")});
  put(Draft("t", "3").parent("2").carries("a", "3"));
  put_writes("t", "3", {pending("task", 0, "a", "after")});
  put(Draft("t", "4").parent("3").carries("a", "4"));
  const auto found = history("t", "a", "4");
  EXPECT_EQ(seed_of(found), "nearest");
  EXPECT_EQ(describe(found.writes), (Strings{"task 0 a at the seed", "task 0 a after"}));
}

TEST_P(History, leaves_out_the_checkpoint_itself) {
  put(Draft("t", "1").value("a", "1", "seed"));
  put(Draft("t", "2").parent("1").value("a", "2", "own"));
  put_writes("t", "2", {pending("task", 0, "a", "own")});
  const auto found = history("t", "a", "2");
  EXPECT_EQ(seed_of(found), "seed");
  EXPECT_EQ(found.writes, std::vector<PendingWrite>{});
}

TEST_P(History, leaves_out_the_checkpoint_itself_also_when_parents_make_a_circle) {
  put(Draft("t", "1").parent("2").carries("a", "1"));
  put(Draft("t", "2").parent("1").carries("a", "2"));
  put_writes("t", "1", {pending("task", 0, "a", "of 1")});
  put_writes("t", "2", {pending("task", 0, "a", "of 2")});
  EXPECT_EQ(describe(history("t", "a", "2").writes), (Strings{"task 0 a of 1"}));
}

TEST_P(History, without_id_is_that_of_the_latest) {
  put(Draft("t", "1").value("a", "1", "seed"));
  put(Draft("t", "2").parent("1").carries("a", "2"));
  EXPECT_EQ(seed_of(history("t", "a")), "seed");
}

TEST_P(History, ends_each_channel_at_its_own_seed) {
  put(Draft("t", "1").value("a", "1", "seed a"));
  put(Draft("t", "2").parent("1").carries("a", "2").value("b", "2", "seed b"));
  put(Draft("t", "3").parent("2").carries("a", "3").carries("b", "3"));
  for (const auto* id : {"1", "2"}) {
    put_writes("t", id, {pending("task", 0, "a", id), pending("task", 1, "b", id)});
  }
  const HistoryQuery query{"t", "", "3", {"b", "nothing", "a"}};
  const auto found = access().history(query, Call{});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].channel, "b");
  EXPECT_EQ(seed_of(found[0]), "seed b");
  EXPECT_EQ(describe(found[0].writes), (Strings{"task 1 b 2"}));
  EXPECT_EQ(found[1], (ChannelHistory{"nothing", {}, {}, {}}));
  EXPECT_EQ(seed_of(found[2]), "seed a");
  EXPECT_EQ(describe(found[2].writes), (Strings{"task 0 a 1", "task 0 a 2"}));
}

TEST_P(History, of_no_channels_is_empty) {
  put(Draft("t", "1"));
  EXPECT_EQ(access().history({"t", "", "1", {}}, Call{}), std::vector<ChannelHistory>{});
}

TEST_P(History, may_reach_the_root_without_a_seed) {
  put(Draft("t", "1"));
  put(Draft("t", "2").parent("1"));
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  const auto found = history("t", "a", "2");
  EXPECT_FALSE(found.seed);
  EXPECT_FALSE(found.inline_seed);
  EXPECT_EQ(found.writes.size(), 1U);
}

TEST_P(History, takes_an_inline_value_for_a_seed) {
  put(Draft("t", "1").value("a", "1", "too old"));
  put(Draft("t", "2").parent("1").inlined("a", "2", R"({"messages": [1, "é"]})"));
  put(Draft("t", "3").parent("2").carries("a", "3"));
  const auto found = history("t", "a", "3");
  EXPECT_FALSE(found.seed);
  ASSERT_TRUE(found.inline_seed);
  EXPECT_TRUE(json_equal(*found.inline_seed, R"({"messages": [1, "é"]})")) << *found.inline_seed;
}

TEST_P(History, follows_parents_and_not_the_order_of_ids) {
  put(Draft("t", "1").value("a", "1", "root"));
  put(Draft("t", "2").parent("1").carries("a", "2"));
  put(Draft("t", "3").parent("1").carries("a", "3"));  // A fork beside "2".
  put(Draft("t", "4").parent("2").carries("a", "4"));
  for (const auto* id : {"1", "2", "3"}) put_writes("t", id, {pending("task", 0, "a", id)});
  EXPECT_EQ(describe(history("t", "a", "4").writes), (Strings{"task 0 a 1", "task 0 a 2"}));
}

TEST_P(History, orders_the_writes_of_a_checkpoint_by_path) {
  put(Draft("t", "1"));
  put(Draft("t", "2").parent("1"));
  put_writes("t", "1",
             {pending("a", 0, "c", "2", "p2"), pending("z", 1, "c", "1", "p1"),
              pending("z", 0, "c", "0", "p1")});
  EXPECT_EQ(describe(history("t", "c", "2").writes), (Strings{"z 0 c 0", "z 1 c 1", "a 0 c 2"}));
}

TEST_P(History, of_the_absent_is_empty) {
  const auto nobody = history("nobody", "a");
  EXPECT_EQ(nobody, (ChannelHistory{"a", {}, {}, {}}));
  put(Draft("t", "1").value("a", "1", "x"));
  EXPECT_EQ(history("t", "a", "9"), (ChannelHistory{"a", {}, {}, {}}));
}

TEST_P(History, ends_where_a_parent_is_missing) {
  put(Draft("t", "2").parent("1").carries("a", "2"));
  put_writes("t", "2", {pending("task", 0, "a", "x")});
  put(Draft("t", "3").parent("2").carries("a", "3"));
  EXPECT_EQ(describe(history("t", "a", "3").writes), (Strings{"task 0 a x"}));
}

TEST_P(History, ends_when_parents_go_in_a_circle) {
  put(Draft("t", "1").parent("2"));
  put(Draft("t", "2").parent("1"));
  put(Draft("t", "3").parent("3"));
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  EXPECT_EQ(describe(history("t", "a", "2").writes), (Strings{"task 0 a x"}));
  EXPECT_EQ(history("t", "a", "3").writes, std::vector<PendingWrite>{});
}

TEST_P(History, stays_in_its_namespace) {
  put(Draft("t", "1").value("a", "1", "root"));
  put(Draft("t", "1").ns("child").value("a", "1", "child"));
  put(Draft("t", "2").ns("child").parent("1").carries("a", "2"));
  const HistoryQuery query{"t", "child", "2", {"a"}};
  EXPECT_EQ(seed_of(access().history(query, Call{}).at(0)), "child");
}

TEST_P(History, goes_back_a_thousand_steps) {
  put(Draft("t", "1000").value("a", "1000", "snapshot"));
  for (int i = 1001; i <= 2000; ++i) {
    const auto id = std::to_string(i);
    put_writes("t", std::to_string(i - 1), {pending("task", 0, "a", id)});
    put(Draft("t", id).parent(std::to_string(i - 1)).carries("a", id));
  }
  const auto found = history("t", "a");
  EXPECT_EQ(seed_of(found), "snapshot");
  ASSERT_EQ(found.writes.size(), 1000U);
  EXPECT_EQ(found.writes.front().data.view(), "1001");
  EXPECT_EQ(found.writes.back().data.view(), "2000");
}

}  // namespace

}  // namespace threadkeep::testing
