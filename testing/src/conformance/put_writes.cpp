// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_put_writes_cases() {}

namespace {

using Strings = std::vector<std::string>;

TEST_P(PutWrite, comes_back_with_its_checkpoint) {
  put(Draft("t", "1"));
  const PendingWrite write{"task-1",  0,
                           "channel", "~root, call",
                           "msgpack", Bytes::copy(std::string_view("\x81\x00\xff", 3))};
  EXPECT_EQ(put_writes("t", "1", {write}), (Written{.changed = 1, .kept = 0, .dropped = 0}));
  EXPECT_EQ(load("t", "1").writes, std::vector<PendingWrite>{write});
}

TEST_P(PutWrite, keeps_all_writes_of_a_task) {
  put(Draft("t", "1"));
  put_writes(
      "t", "1",
      {pending("task", 0, "a", "x"), pending("task", 1, "b", "y"), pending("task", 2, "a", "z")});
  EXPECT_EQ(describe(load("t", "1").writes), (Strings{"task 0 a x", "task 1 b y", "task 2 a z"}));
}

TEST_P(PutWrite, keeps_tasks_apart_on_one_channel) {
  put(Draft("t", "1"));
  put_writes("t", "1", {pending("task-1", 0, "a", "x")});
  put_writes("t", "1", {pending("task-2", 0, "a", "y")});
  EXPECT_EQ(describe(load("t", "1").writes), (Strings{"task-1 0 a x", "task-2 0 a y"}));
}

TEST_P(PutWrite, keeps_namespaces_apart) {
  put(Draft("t", "1"));
  put(Draft("t", "1").ns("child:1"));
  put_writes("t", "1", {pending("task", 0, "a", "root")});
  put_writes("t", "1", {pending("task", 0, "a", "child")}, "child:1");
  EXPECT_EQ(describe(load("t", "1").writes), (Strings{"task 0 a root"}));
  EXPECT_EQ(describe(load("t", "1", "child:1").writes), (Strings{"task 0 a child"}));
}

TEST_P(PutWrite, belongs_to_one_checkpoint_only) {
  put(Draft("t", "1"));
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  put(Draft("t", "2").parent("1"));
  EXPECT_EQ(load("t", "2").writes, std::vector<PendingWrite>{});
  EXPECT_EQ(load("t", "1").writes.size(), 1U);
}

TEST_P(PutWrite, twice_is_stored_once) {
  put(Draft("t", "1"));
  const std::vector<PendingWrite> writes{pending("task", 0, "a", "x"),
                                         pending("task", 1, "b", "y")};
  put_writes("t", "1", writes);
  EXPECT_EQ(put_writes("t", "1", writes), (Written{.changed = 0, .kept = 2, .dropped = 0}));
  EXPECT_EQ(load("t", "1").writes, writes);
}

TEST_P(PutWrite, of_a_regular_channel_is_final) {
  put(Draft("t", "1"));
  put_writes("t", "1", {pending("task", 0, "a", "first")});
  EXPECT_EQ(put_writes("t", "1", {pending("task", 0, "b", "second")}).kept, 1U);
  EXPECT_EQ(describe(load("t", "1").writes), (Strings{"task 0 a first"}));
}

TEST_P(PutWrite, of_a_special_channel_is_replaced) {
  put(Draft("t", "1"));
  put_writes("t", "1", {pending("task", -4, "__resume__", "first", "path-1")});
  const auto second = pending("task", -4, "__resume__", "second", "path-2");
  EXPECT_EQ(put_writes("t", "1", {second}).changed, 1U);
  EXPECT_EQ(load("t", "1").writes, std::vector<PendingWrite>{second});
}

TEST_P(PutWrite, keeps_several_special_channels_of_a_task) {
  put(Draft("t", "1"));
  put_writes("t", "1",
             {pending("task", -1, "__error__", "e"), pending("task", -3, "__interrupt__", "i")});
  EXPECT_EQ(describe(load("t", "1").writes),
            (Strings{"task -3 __interrupt__ i", "task -1 __error__ e"}));
}

// A runtime sends the regular writes of a resumed task again, together with a new resume value.
TEST_P(PutWrite, decides_first_or_last_for_each_row_of_a_mixed_batch) {
  put(Draft("t", "1"));
  put_writes("t", "1",
             {pending("task", -4, "__resume__", "first"), pending("task", 1, "foo", "1")});
  const auto mixed =
      put_writes("t", "1",
                 {pending("task", 1, "foo", "2"), pending("task", -4, "__resume__", "second"),
                  pending("task", 2, "bar", "3")});
  EXPECT_EQ(mixed, (Written{.changed = 2, .kept = 1, .dropped = 0}));
  EXPECT_EQ(describe(load("t", "1").writes),
            (Strings{"task -4 __resume__ second", "task 1 foo 1", "task 2 bar 3"}));
}

TEST_P(PutWrite, holds_the_rule_within_one_batch) {
  put(Draft("t", "1"));
  put_writes("t", "1",
             {pending("task", 0, "a", "first"), pending("task", -1, "e", "first"),
              pending("task", 0, "a", "second"), pending("task", -1, "e", "second")});
  EXPECT_EQ(describe(load("t", "1").writes), (Strings{"task -1 e second", "task 0 a first"}));
}

TEST_P(PutWrite, may_come_before_its_checkpoint) {
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  EXPECT_FALSE(get("t"));
  EXPECT_EQ(ids_of("t"), Strings{});
  put(Draft("t", "1"));
  EXPECT_EQ(describe(load("t", "1").writes), (Strings{"task 0 a x"}));
}

TEST_P(PutWrite, may_name_a_checkpoint_that_never_comes) {
  put(Draft("t", "1"));
  put_writes("t", "0", {pending("task", 0, "a", "x")});
  put_writes("t", "2", {pending("task", 0, "a", "x")});
  EXPECT_EQ(ids_of("t"), (Strings{"1"}));
  EXPECT_EQ(load("t").writes, std::vector<PendingWrite>{});
}

TEST_P(PutWrite, comes_back_by_path_then_task_then_index) {
  put(Draft("t", "1"));
  put_writes("t", "1",
             {pending("b", 1, "c", "4", "p1"), pending("b", 0, "c", "3", "p1"),
              pending("a", 0, "c", "5", "p2"), pending("z", 7, "c", "1", ""),
              pending("a", 10, "c", "2", "p1"), pending("a", -2, "c", "0", "p1")});
  EXPECT_EQ(describe(load("t", "1").writes),
            (Strings{"z 7 c 1", "a -2 c 0", "a 10 c 2", "b 0 c 3", "b 1 c 4", "a 0 c 5"}));
}

TEST_P(PutWrite, orders_paths_bytewise) {
  put(Draft("t", "1"));
  put_writes("t", "1",
             {pending("1", 0, "c", "", "é"), pending("2", 0, "c", "", "a"),
              pending("3", 0, "c", "", "Z"), pending("4", 0, "c", "", "~")});
  EXPECT_EQ(describe(load("t", "1").writes), (Strings{"3 0 c ", "2 0 c ", "4 0 c ", "1 0 c "}));
}

TEST_P(PutWrite, keeps_the_extremes_of_the_index) {
  put(Draft("t", "1"));
  put_writes(
      "t", "1",
      {pending("task", 2147483647, "c", "last"), pending("task", -2147483647 - 1, "c", "first")});
  EXPECT_EQ(describe(load("t", "1").writes),
            (Strings{"task -2147483648 c first", "task 2147483647 c last"}));
}

TEST_P(PutWrite, of_nothing_stores_nothing) {
  EXPECT_EQ(put_writes("t", "1", {}), Written{});
  EXPECT_EQ(thread_ids(), Strings{});
}

TEST_P(PutWrite, keeps_a_hundred_tasks) {
  put(Draft("t", "1"));
  for (int i = 0; i < 100; ++i) {
    put_writes("t", "1", {pending("task-" + std::to_string(i), 0, "a", std::to_string(i))});
  }
  EXPECT_EQ(load("t", "1").writes.size(), 100U);
}

}  // namespace

}  // namespace threadkeep::testing
