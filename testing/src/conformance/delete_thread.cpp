// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_delete_thread_cases() {}

namespace {

using Strings = std::vector<std::string>;

TEST_P(DeleteAll, removes_the_checkpoints) {
  put_chain("t", 3);
  EXPECT_EQ(write(DeleteThread{"t"}).changed, 3U);
  EXPECT_FALSE(get("t"));
  EXPECT_FALSE(get("t", "2"));
  EXPECT_EQ(ids_of("t"), Strings{});
  EXPECT_EQ(thread_ids(), Strings{});
}

TEST_P(DeleteAll, removes_the_writes) {
  put(Draft("t", "1"));
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  put_writes("t", "9", {pending("task", 0, "a", "x")});
  write(DeleteThread{"t"});
  put(Draft("t", "1"));
  put(Draft("t", "9"));
  EXPECT_EQ(load("t", "1").writes, std::vector<PendingWrite>{});
  EXPECT_EQ(load("t", "9").writes, std::vector<PendingWrite>{});
}

TEST_P(DeleteAll, removes_the_values) {
  put(Draft("t", "1").value("a", "1", "old"));
  write(DeleteThread{"t"});
  put(Draft("t", "1").carries("a", "1"));
  EXPECT_EQ(load("t").values, std::vector<Blob>{});
  EXPECT_EQ(put(Draft("t", "2").value("a", "1", "new")).kept, 0U);
  EXPECT_EQ(value_of(load("t", "2"), "a"), "new");
}

TEST_P(DeleteAll, removes_every_namespace) {
  put_chain("t", 2);
  put_chain("t", 2, "child:1");
  write(DeleteThread{"t"});
  EXPECT_FALSE(get("t"));
  EXPECT_FALSE(get("t", {}, "child:1"));
  EXPECT_EQ(ids_of("t"), Strings{});
}

TEST_P(DeleteAll, leaves_other_threads_alone) {
  put_chain("t", 2);
  put(Draft("t2", "1").value("a", "1", "x"));
  put_writes("t2", "1", {pending("task", 0, "a", "x")});
  write(DeleteThread{"t"});
  EXPECT_EQ(value_of(load("t2"), "a"), "x");
  EXPECT_EQ(load("t2").writes.size(), 1U);
}

TEST_P(DeleteAll, of_nobody_does_nothing) {
  EXPECT_EQ(write(DeleteThread{"nobody"}), Written{});
  put(Draft("t", "1"));
  write(DeleteThread{"t"});
  EXPECT_EQ(write(DeleteThread{"t"}), Written{});
}

TEST_P(DeleteAll, removes_a_thread_without_checkpoints) {
  write(PutThread{"t", R"({"user": "u"})"});
  write(DeleteThread{"t"});
  EXPECT_EQ(thread_ids(), Strings{});
  put(Draft("t", "1"));
  ASSERT_TRUE(thread("t"));
  EXPECT_EQ(thread("t")->metadata, "{}");
}

TEST_P(DeleteAll, takes_no_part_of_the_id_for_a_pattern) {
  put(Draft("user:1", "1"));
  put(Draft("user:12", "1"));
  put(Draft("user_2", "1"));
  write(DeleteThread{"user:%"});
  write(DeleteThread{"user:*"});
  write(DeleteThread{"user__"});
  EXPECT_EQ(thread_ids(), (Strings{"user:1", "user:12", "user_2"}));
}

}  // namespace

}  // namespace threadkeep::testing
