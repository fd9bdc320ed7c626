// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_list_cases() {}

namespace {

using Strings = std::vector<std::string>;

CheckpointList where(std::vector<MetadataEquals> filter, std::string thread_id = "t") {
  auto query = of_thread(std::move(thread_id));
  query.filter = std::move(filter);
  return query;
}

// Checkpoints 1 to 4, whose source is input and loop in turn.
std::vector<PutCheckpoint> four() {
  std::vector<PutCheckpoint> checkpoints;
  for (int i = 1; i <= 4; ++i) {
    const auto id = std::to_string(i);
    Draft draft("t", id);
    draft.value("a", id, "value " + id);
    draft.metadata(std::string(R"({"source": ")") + (i % 2 != 0 ? "input" : "loop") +
                   R"(", "step": )" + id + R"(, "score": 42, "run_id": "r"})");
    if (i > 1) draft.parent(std::to_string(i - 1));
    checkpoints.push_back(draft);
  }
  return checkpoints;
}

TEST_P(List, of_nothing_is_empty) {
  EXPECT_EQ(ids({}), Strings{});
  EXPECT_EQ(ids_of("nobody"), Strings{});
}

TEST_P(List, has_the_newest_first) {
  for (const auto* id : {"2", "4", "1", "3"}) put(Draft("t", id));
  EXPECT_EQ(ids_of("t"), (Strings{"4", "3", "2", "1"}));
}

TEST_P(List, brings_everything_of_a_checkpoint) {
  const PutCheckpoint checkpoint =
      Draft("t", "2").parent("1").value("a", "1", "x").metadata(R"({"step": 7})");
  put(checkpoint);
  put_writes("t", "2", {pending("task", 0, "a", "x")});
  const auto items = all(of_thread("t"));
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].thread_id, "t");
  EXPECT_EQ(items[0].checkpoint_id, "2");
  EXPECT_EQ(items[0].parent_checkpoint_id, "1");
  EXPECT_TRUE(json_equal(items[0].document, checkpoint.document));
  EXPECT_TRUE(json_equal(items[0].metadata, checkpoint.metadata));
  EXPECT_EQ(items[0].values, checkpoint.blobs);
  EXPECT_EQ(describe(items[0].writes), (Strings{"task 0 a x"}));
}

TEST_P(List, gives_each_checkpoint_its_own_values) {
  put(Draft("t", "1").value("a", "1", "old").value("b", "1", "shared"));
  put(Draft("t", "2").parent("1").value("a", "2", "new").carries("b", "1"));
  put(Draft("t", "2").ns("child").value("b", "1", "elsewhere"));
  auto query = of_thread("t");
  query.checkpoint_ns = "";
  const auto items = all(query);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(value_of(items[0], "a"), "new");
  EXPECT_EQ(value_of(items[1], "a"), "old");
  for (const auto& item : items) EXPECT_EQ(value_of(item, "b"), "shared");
}

TEST_P(List, leaves_out_what_is_not_asked_for) {
  put(Draft("t", "1").value("a", "1", "x"));
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  auto query = of_thread("t");
  query.include = {.values = false, .writes = false};
  const auto items = all(query);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].values.size(), 0U);
  EXPECT_EQ(items[0].writes.size(), 0U);
}

TEST_P(List, without_thread_spans_all_of_them) {
  put(Draft("b", "2"));
  put(Draft("a", "1"));
  put(Draft("a", "3"));
  put(Draft("c", "2").ns("x"));
  put(Draft("c", "2"));
  const auto items = all({});
  Strings places;
  for (const auto& i : items) places.push_back(i.checkpoint_id + i.thread_id + i.checkpoint_ns);
  EXPECT_EQ(places, (Strings{"3a", "2b", "2c", "2cx", "1a"}));
}

TEST_P(List, without_namespace_spans_all_of_them) {
  put(Draft("t", "1"));
  put(Draft("t", "2").ns("child:1"));
  EXPECT_EQ(ids_of("t"), (Strings{"2", "1"}));
  auto query = of_thread("t");
  query.checkpoint_ns = "";
  EXPECT_EQ(ids(query), (Strings{"1"}));
  query.checkpoint_ns = "child:1";
  EXPECT_EQ(ids(query), (Strings{"2"}));
  query.checkpoint_ns = "child";
  EXPECT_EQ(ids(query), Strings{});
}

TEST_P(List, by_namespace_spans_threads) {
  put(Draft("a", "1").ns("x"));
  put(Draft("b", "2").ns("x"));
  put(Draft("b", "3"));
  CheckpointList query;
  query.checkpoint_ns = "x";
  EXPECT_EQ(ids(query), (Strings{"2", "1"}));
}

TEST_P(List, by_id_is_equality) {
  put_chain("t", 3);
  put(Draft("t", "2").ns("child"));
  auto query = of_thread("t");
  query.checkpoint_id = "2";
  EXPECT_EQ(ids(query), (Strings{"2", "2"}));
  query.checkpoint_ns = "child";
  EXPECT_EQ(ids(query), (Strings{"2"}));
  query.checkpoint_id = "9";
  EXPECT_EQ(ids(query), Strings{});
}

TEST_P(List, before_is_strict) {
  put_chain("t", 4);
  auto query = of_thread("t");
  query.before = "3";
  EXPECT_EQ(ids(query), (Strings{"2", "1"}));
  query.before = "1";
  EXPECT_EQ(ids(query), Strings{});
  query.before = "25";  // Not the id of a checkpoint; still a place in the order.
  EXPECT_EQ(ids(query), (Strings{"2", "1"}));
}

TEST_P(List, limit_ends_a_page) {
  put_chain("t", 4);
  auto query = of_thread("t");
  query.limit = 1;
  EXPECT_EQ(access().list(query, Call{}).items.size(), 1U);
  query.limit = 2;
  EXPECT_EQ(access().list(query, Call{}).items.size(), 2U);
  query.before = "4";
  query.limit = 1;
  const auto page = access().list(query, Call{});
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].checkpoint_id, "3");
}

TEST_P(List, limit_of_zero_is_an_empty_page) {
  put_chain("t", 2);
  auto query = of_thread("t");
  query.limit = 0;
  const auto page = access().list(query, Call{});
  EXPECT_EQ(page.items.size(), 0U);
  EXPECT_EQ(page.next, "");
}

TEST_P(List, limit_may_be_huge) {
  put_chain("t", 2);
  auto query = of_thread("t");
  query.limit = static_cast<std::size_t>(-1);
  EXPECT_EQ(ids(query), (Strings{"2", "1"}));
}

TEST_P(List, ends_a_page_above_its_bytes) {
  const std::string kilobyte(1024, 'x');
  for (const auto* id : {"1", "2", "3", "4", "5", "6"})
    put(Draft("t", id).value("a", id, kilobyte));
  auto query = of_thread("t");
  query.max_bytes = 1;
  const auto smallest = access().list(query, Call{});
  EXPECT_EQ(smallest.items.size(), 1U);
  EXPECT_NE(smallest.next, "");
  query.max_bytes = 3 * 1024 + 512;
  const auto some = access().list(query, Call{});
  EXPECT_GE(some.items.size(), 2U);
  EXPECT_LE(some.items.size(), 4U);
  EXPECT_EQ(ids(query), (Strings{"6", "5", "4", "3", "2", "1"}));
}

TEST_P(List, filters_by_one_key) {
  for (const auto& checkpoint : four()) put(checkpoint);
  EXPECT_EQ(ids(where({{"source", "\"input\""}})), (Strings{"3", "1"}));
  EXPECT_EQ(ids(where({{"source", "\"loop\""}})), (Strings{"4", "2"}));
  EXPECT_EQ(ids(where({{"step", "1"}})), (Strings{"1"}));
}

TEST_P(List, filters_by_all_keys_together) {
  for (const auto& checkpoint : four()) put(checkpoint);
  EXPECT_EQ(ids(where({{"source", "\"loop\""}, {"step", "2"}})), (Strings{"2"}));
  EXPECT_EQ(ids(where({{"source", "\"input\""}, {"step", "2"}})), Strings{});
}

TEST_P(List, filters_by_keys_of_the_user) {
  for (const auto& checkpoint : four()) put(checkpoint);
  EXPECT_EQ(ids(where({{"score", "42"}})).size(), 4U);
  EXPECT_EQ(ids(where({{"run_id", "\"r\""}})).size(), 4U);
  EXPECT_EQ(ids(where({{"source", "\"update\""}})), Strings{});
}

TEST_P(List, filters_before_it_counts) {
  for (const auto& checkpoint : four()) put(checkpoint);
  auto query = where({{"source", "\"input\""}});
  query.limit = 1;
  EXPECT_EQ(ids(query), (Strings{"3", "1"}));
  query.before = "3";
  EXPECT_EQ(ids(query), (Strings{"1"}));
  query = where({{"source", "\"input\""}}, "other");
  EXPECT_EQ(ids(query), Strings{});
}

TEST_P(List, filters_nested_values_by_equality) {
  put(Draft("t", "1").metadata(R"({"o": {"a": 1, "b": [1, 2]}})"));
  put(Draft("t", "2").metadata(R"({"o": {"a": 1}})"));
  EXPECT_EQ(ids(where({{"o", R"({"b": [1, 2.0], "a": 1})"}})), (Strings{"1"}));
  EXPECT_EQ(ids(where({{"o", R"({"a": 1})"}})), (Strings{"2"}));
  EXPECT_EQ(ids(where({{"o", R"({"a": 1, "b": [2, 1]})"}})), Strings{});
  EXPECT_EQ(ids(where({{"o", "{}"}})), Strings{});
}

TEST_P(List, filter_never_matches_a_missing_key) {
  put(Draft("t", "1").metadata(R"({"there": null})"));
  put(Draft("t", "2").metadata("{}"));
  EXPECT_EQ(ids(where({{"there", "null"}})), (Strings{"1"}));
  EXPECT_EQ(ids(where({{"missing", "null"}})), Strings{});
}

TEST_P(List, filter_compares_by_value_and_kind) {
  put(Draft("t", "1").metadata(R"({"k": 1})"));
  put(Draft("t", "2").metadata(R"({"k": true})"));
  put(Draft("t", "3").metadata(R"({"k": "1"})"));
  put(Draft("t", "4").metadata(R"({"k": 1.0})"));
  put(Draft("t", "5").metadata(R"({"k": [1]})"));
  EXPECT_EQ(ids(where({{"k", "1"}})), (Strings{"4", "1"}));
  EXPECT_EQ(ids(where({{"k", "1.0"}})), (Strings{"4", "1"}));
  EXPECT_EQ(ids(where({{"k", "true"}})), (Strings{"2"}));
  EXPECT_EQ(ids(where({{"k", "\"1\""}})), (Strings{"3"}));
  EXPECT_EQ(ids(where({{"k", "[1]"}})), (Strings{"5"}));
  EXPECT_EQ(ids(where({{"k", "false"}})), Strings{});
}

TEST_P(List, filter_takes_keys_of_any_text) {
  for (const std::string key :
       {"a.b", "$", "a b", "'; DROP TABLE checkpoints; --", "\"", "é", ""}) {
    SCOPED_TRACE(key);
    const auto thread_id = "t" + key;
    put(Draft(thread_id, "1").metadata("{" + json_string(key) + R"(: "x", "a": {"b": "y"}})"));
    EXPECT_EQ(ids(where({{key, "\"x\""}}, thread_id)), (Strings{"1"}));
    EXPECT_EQ(ids(where({{key, "\"y\""}}, thread_id)), Strings{});
  }
}

TEST_P(List, filter_with_two_values_for_a_key_matches_nothing) {
  put(Draft("t", "1").metadata(R"({"k": 1})"));
  EXPECT_EQ(ids(where({{"k", "1"}, {"k", "2"}})), Strings{});
  EXPECT_EQ(ids(where({{"k", "1"}, {"k", "1"}})), (Strings{"1"}));
}

TEST_P(List, filter_must_be_json) {
  put(Draft("t", "1"));
  expect_error(Code::invalid_argument, "filter", [&] { ids(where({{"k", "no json"}})); });
  expect_error(Code::invalid_argument, "filter", [&] { ids(where({{"k", ""}})); });
}

}  // namespace

}  // namespace threadkeep::testing
