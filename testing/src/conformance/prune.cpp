// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_prune_cases() {}

namespace {

using Strings = std::vector<std::string>;

TEST_P(Pruning, keeps_the_latest) {
  put_chain("t", 4);
  EXPECT_EQ(prune({"t"}).changed, 3U);
  EXPECT_EQ(ids_of("t"), (Strings{"4"}));
  EXPECT_EQ(load("t").parent_checkpoint_id, "3");
}

TEST_P(Pruning, keeps_the_latest_of_each_thread) {
  put_chain("t", 3);
  put_chain("u", 5);
  put_chain("other", 2);
  EXPECT_EQ(prune({"t", "u"}).changed, 6U);
  EXPECT_EQ(ids_of("t"), (Strings{"3"}));
  EXPECT_EQ(ids_of("u"), (Strings{"5"}));
  EXPECT_EQ(ids_of("other"), (Strings{"2", "1"}));
}

TEST_P(Pruning, keeps_the_latest_of_each_namespace) {
  put_chain("t", 3);
  put_chain("t", 2, "child:1");
  EXPECT_EQ(prune({"t"}).changed, 3U);
  EXPECT_EQ(load("t").checkpoint_id, "3");
  EXPECT_EQ(load("t", {}, "child:1").checkpoint_id, "2");
  EXPECT_EQ(ids_of("t").size(), 2U);
}

TEST_P(Pruning, keeps_the_writes_of_the_latest) {
  put_chain("t", 2);
  put_writes("t", "1", {pending("task", 0, "a", "gone")});
  put_writes("t", "2", {pending("task", 0, "a", "kept")});
  prune({"t"});
  EXPECT_EQ(describe(load("t").writes), (Strings{"task 0 a kept"}));
  put(Draft("t", "1"));
  EXPECT_EQ(load("t", "1").writes, std::vector<PendingWrite>{});
}

TEST_P(Pruning, keeps_writes_whose_checkpoint_may_be_on_its_way) {
  put_chain("t", 2);
  put_writes("t", "3", {pending("task", 0, "a", "x")});
  prune({"t"});
  put(Draft("t", "3").parent("2"));
  EXPECT_EQ(load("t", "3").writes.size(), 1U);
}

TEST_P(Pruning, keeps_the_values_that_the_latest_refers_to) {
  put(Draft("t", "1").value("a", "1", "shared").value("b", "1", "gone"));
  put(Draft("t", "2").parent("1").carries("a", "1").value("b", "2", "kept"));
  prune({"t"});
  const auto found = load("t");
  EXPECT_EQ(value_of(found, "a"), "shared");
  EXPECT_EQ(value_of(found, "b"), "kept");
  put(Draft("t", "3").parent("2").carries("b", "1"));
  EXPECT_EQ(value_of(load("t", "3"), "b"), std::nullopt);
}

TEST_P(Pruning, takes_values_without_a_checkpoint_even_when_no_checkpoint_goes) {
  put(Draft("t", "1").value("a", "1", "left behind"));
  put(Draft("t", "1").value("a", "2", "kept"));
  EXPECT_EQ(prune({"t"}).changed, 0U);
  EXPECT_EQ(value_of(load("t"), "a"), "kept");
  put(Draft("t", "2").parent("1").carries("a", "1"));
  EXPECT_EQ(value_of(load("t", "2"), "a"), std::nullopt);
}

TEST_P(Pruning, can_delete_everything) {
  put_chain("t", 3);
  put_chain("u", 3);
  EXPECT_EQ(prune({"t"}, PruneStrategy::delete_all).changed, 3U);
  EXPECT_EQ(ids_of("t"), Strings{});
  EXPECT_EQ(ids_of("u").size(), 3U);
}

TEST_P(Pruning, of_nobody_does_nothing) {
  put_chain("t", 2);
  EXPECT_EQ(prune({}), Written{});
  EXPECT_EQ(prune({"nobody"}), Written{});
  EXPECT_EQ(prune({"nobody"}, PruneStrategy::delete_all), Written{});
  EXPECT_EQ(ids_of("t"), (Strings{"2", "1"}));
}

TEST_P(Pruning, twice_changes_nothing_more) {
  put_chain("t", 3);
  prune({"t"});
  EXPECT_EQ(prune({"t"}).changed, 0U);
  EXPECT_EQ(ids_of("t"), (Strings{"3"}));
}

TEST_P(Pruning, goes_on_after_a_thread_that_cannot_be) {
  put_chain("t", 3);
  expect_error(Code::invalid_argument, "thread_id", [&] { prune({"", "t"}); });
  EXPECT_EQ(ids_of("t"), (Strings{"3"}));
}

Draft delta(std::string id, std::string parent) {
  return Draft("t", id)
      .parent(std::move(parent))
      .carries("messages", id)
      .metadata(R"({"counters_since_delta_snapshot": {"messages": [1, 1]}})");
}

TEST_P(Pruning, keeps_what_delta_channels_are_rebuilt_from) {
  put(Draft("t", "1").value("messages", "1", "too old"));
  put(Draft("t", "2").parent("1").value("messages", "2", "snapshot"));
  put_writes("t", "2", {pending("task", 0, "messages", "x")});
  put(delta("3", "2"));
  put_writes("t", "3", {pending("task", 0, "messages", "y")});
  put(Draft("t", "25").parent("2"));  // A fork that nothing needs.
  put(delta("4", "3"));
  const auto before = history("t", "messages");
  EXPECT_EQ(prune({"t"}).changed, 2U);
  EXPECT_EQ(ids_of("t"), (Strings{"4", "3", "2"}));
  EXPECT_EQ(history("t", "messages"), before);
  ASSERT_TRUE(before.seed);
  EXPECT_EQ(before.seed->data.view(), "snapshot");
  EXPECT_EQ(describe(before.writes), (Strings{"task 0 messages x", "task 0 messages y"}));
}

TEST_P(Pruning, keeps_the_values_of_what_it_keeps) {
  put(Draft("t", "1").value("messages", "1", "snapshot").value("a", "1", "old"));
  put(delta("2", "1").value("a", "2", "new"));
  prune({"t"});
  EXPECT_EQ(value_of(load("t", "1"), "a"), "old");
  EXPECT_EQ(value_of(load("t", "2"), "a"), "new");
}

TEST_P(Pruning, keeps_the_whole_chain_when_there_is_no_snapshot) {
  put(Draft("t", "1"));
  put(delta("2", "1"));
  put(delta("3", "2"));
  EXPECT_EQ(prune({"t"}).changed, 0U);
  EXPECT_EQ(ids_of("t"), (Strings{"3", "2", "1"}));
}

TEST_P(Pruning, stops_at_a_snapshot_kept_inline) {
  put(Draft("t", "1").value("messages", "1", "too old"));
  put(Draft("t", "2").parent("1").inlined("messages", "2", "[1]"));
  put(delta("3", "2"));
  prune({"t"});
  EXPECT_EQ(ids_of("t"), (Strings{"3", "2"}));
}

}  // namespace

}  // namespace threadkeep::testing
