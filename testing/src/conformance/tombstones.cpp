// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_tombstones_cases() {}

namespace {

using Strings = std::vector<std::string>;

TEST_P(Tombstones, keep_a_late_put_from_bringing_a_thread_back) {
  put_chain("t", 3);
  write(DeleteThread{"t"});
  expect_error(Code::conflict, "put",
               [&] { put(Draft("t", "4").parent("3").value("a", "1", "x")); });
  expect_error(Code::conflict, "put", [&] { put(Draft("t", "9").parent("8")); });
  EXPECT_FALSE(get("t"));
  EXPECT_EQ(thread_ids(), Strings{});
}

TEST_P(Tombstones, count_in_every_namespace) {
  put_chain("t", 3);
  put_chain("t", 2, "child");
  write(DeleteThread{"t"});
  expect_error(Code::conflict, "put", [&] { put(Draft("t", "3").ns("child").parent("2")); });
  EXPECT_EQ(put_writes("t", "2", {pending("task", 0, "a", "x")}, "child").dropped, 1U);
}

TEST_P(Tombstones, drop_late_writes) {
  put_chain("t", 3);
  write(DeleteThread{"t"});
  const std::vector<PendingWrite> two{pending("task", 0, "a", "x"), pending("task", -1, "e", "y")};
  EXPECT_EQ(put_writes("t", "3", two), (Written{.changed = 0, .kept = 0, .dropped = 2}));
  EXPECT_EQ(put_writes("t", "1", two), (Written{.changed = 0, .kept = 0, .dropped = 2}));
  put(Draft("t", "3"));
  EXPECT_EQ(load("t").writes, std::vector<PendingWrite>{});
}

TEST_P(Tombstones, let_writes_of_newer_checkpoints_in) {
  put_chain("t", 3);
  write(DeleteThread{"t"});
  EXPECT_EQ(put_writes("t", "4", {pending("task", 0, "a", "x")}).changed, 1U);
  put(Draft("t", "4"));
  EXPECT_EQ(load("t").writes.size(), 1U);
}

TEST_P(Tombstones, let_a_thread_start_anew) {
  put_chain("t", 3);
  write(DeleteThread{"t"});
  put(Draft("t", "4").value("a", "1", "x"));
  put(Draft("t", "5").parent("4").carries("a", "1"));
  EXPECT_EQ(ids_of("t"), (Strings{"5", "4"}));
  EXPECT_EQ(value_of(load("t"), "a"), "x");
  EXPECT_EQ(put_writes("t", "5", {pending("task", 0, "a", "x")}).changed, 1U);
}

TEST_P(Tombstones, let_a_thread_start_anew_with_old_ids) {
  put_chain("t", 3);
  write(DeleteThread{"t"});
  put_chain("t", 3);
  EXPECT_EQ(ids_of("t"), (Strings{"3", "2", "1"}));
  EXPECT_EQ(put_writes("t", "1", {pending("task", 0, "a", "x")}).changed, 1U);
}

TEST_P(Tombstones, of_one_thread_do_not_bother_another) {
  put_chain("t", 3);
  write(DeleteThread{"t"});
  put(Draft("u", "4").parent("3"));
  EXPECT_EQ(put_writes("u", "1", {pending("task", 0, "a", "x")}).dropped, 0U);
}

TEST_P(Tombstones, stand_after_prune) {
  put_chain("t", 4);
  prune({"t"});
  expect_error(Code::conflict, "put", [&] { put(Draft("t", "35").parent("3")); });
  EXPECT_EQ(put_writes("t", "3", {pending("task", 0, "a", "late")}).dropped, 1U);
  EXPECT_EQ(put_writes("t", "4", {pending("task", 0, "a", "x")}).changed, 1U);
  put(Draft("t", "5").parent("4"));
  EXPECT_EQ(ids_of("t"), (Strings{"5", "4"}));
}

TEST_P(Tombstones, stand_after_delete_runs) {
  put(Draft("t", "1").metadata(R"({"run_id": "kept"})"));
  put(Draft("t", "2").parent("1").metadata(R"({"run_id": "run"})"));
  write(DeleteRuns{{"run"}});
  expect_error(Code::conflict, "put", [&] { put(Draft("t", "3").parent("2")); });
  EXPECT_EQ(put_writes("t", "2", {pending("task", 0, "a", "late")}).dropped, 1U);
  put(Draft("t", "3").parent("1"));
  EXPECT_EQ(ids_of("t"), (Strings{"3", "1"}));
}

TEST_P(Tombstones, need_a_deletion) {
  write(DeleteThread{"t"});
  prune({"t"});
  put(Draft("t", "2").parent("1"));
  EXPECT_EQ(put_writes("t", "1", {pending("task", 0, "a", "x")}).changed, 1U);
}

}  // namespace

}  // namespace threadkeep::testing
