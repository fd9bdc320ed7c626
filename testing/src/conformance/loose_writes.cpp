// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_loose_writes_cases() {}

namespace {

using Strings = std::vector<std::string>;

// "namespace id: writes" of all pages.
Strings loose(Store& store, std::size_t limit = 100, std::string thread_id = "t") {
  LooseWritesQuery query{.thread_id = std::move(thread_id), .after = {}, .limit = limit};
  Strings words;
  for (;;) {
    const auto found = store.loose_writes(query, {});
    EXPECT_LE(found.size(), limit);
    if (found.empty()) return words;
    for (const auto& put : found) {
      EXPECT_EQ(put.thread_id, query.thread_id);
      words.push_back(put.checkpoint_ns + " " + put.checkpoint_id + ":");
      for (const auto& write : describe(put.writes)) words.back() += " " + write;
    }
    query.after.emplace(found.back().checkpoint_ns, found.back().checkpoint_id);
  }
}

TEST_P(LooseWrites, are_those_whose_checkpoint_is_not_stored) {
  put(Draft("t", "1"));
  put_writes("t", "1", {pending("task", 0, "a", "stored")});
  put_writes("t", "2", {pending("task", 0, "a", "x"), pending("task", -1, "b", "y")});
  put_writes("other", "2", {pending("task", 0, "a", "z")});
  EXPECT_EQ(loose(*store()), (Strings{" 2: task -1 b y task 0 a x"}));
}

TEST_P(LooseWrites, are_so_no_more_once_their_checkpoint_comes) {
  put_writes("t", "2", {pending("task", 0, "a", "x")});
  put(Draft("t", "2"));
  EXPECT_EQ(loose(*store()), Strings{});
}

TEST_P(LooseWrites, come_with_everything_they_have) {
  const PendingWrite write{"task",    3,
                           "channel", "~root, call",
                           "msgpack", Bytes::copy(std::string_view("\x81\x00\xff", 3))};
  put_writes("t", "1", {write}, "child:1");
  const auto found = store()->loose_writes({.thread_id = "t", .after = {}, .limit = 1}, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].writes, std::vector<PendingWrite>{write});
}

TEST_P(LooseWrites, come_page_by_page_in_the_order_of_namespaces_and_ids) {
  for (const auto* ns : {"", "a", "a|b", "\u00e9"}) {
    for (const auto* id : {"10", "9", "A", "a", "\u00e9"}) {
      put_writes("t", id, {pending("task", 0, "a", "x"), pending("task", 1, "a", "x")}, ns);
    }
    put(Draft("t", "a").ns(ns));
  }
  const auto all = loose(*store());
  EXPECT_EQ(all.size(), 16U);
  EXPECT_EQ(all.front(), " 10: task 0 a x task 1 a x");
  EXPECT_EQ(all.back(), "\u00e9 \u00e9: task 0 a x task 1 a x");
  for (const std::size_t limit : {1U, 3U, 16U}) EXPECT_EQ(loose(*store(), limit), all) << limit;
  EXPECT_TRUE(store()->loose_writes({.thread_id = "t", .after = {}, .limit = 0}, {}).empty());
}

TEST_P(LooseWrites, are_found_behind_many_others) {
  for (int i = 0; i < 1100; ++i) {
    const std::string id = std::to_string(10'000 + i);
    put(Draft("t", id));
    put_writes("t", id, {pending("task", 0, "a", "x")});
  }
  put_writes("t", "20000", {pending("task", 0, "a", "x")});
  EXPECT_EQ(loose(*store(), 1), (Strings{" 20000: task 0 a x"}));
}

TEST_P(LooseWrites, of_nobody_are_none) {
  EXPECT_EQ(loose(*store(), 10, "nobody"), Strings{});
  expect_error(Code::invalid_argument, "thread_id", [&] { loose(*store(), 10, ""); });
}

TEST_P(LooseWrites, go_with_their_thread) {
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  write(DeleteThread{"t"});
  EXPECT_EQ(loose(*store()), Strings{});
}

}  // namespace
}  // namespace threadkeep::testing
