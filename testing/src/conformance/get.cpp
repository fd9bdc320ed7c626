// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_get_cases() {}

namespace {

TEST_P(Get, of_an_unknown_thread_is_empty) {
  EXPECT_FALSE(get("nobody"));
}

TEST_P(Get, of_an_unknown_checkpoint_is_empty) {
  put(Draft("t", "1"));
  EXPECT_FALSE(get("t", "2"));
  EXPECT_FALSE(get("t", "1", "child"));
  EXPECT_FALSE(get("other", "1"));
}

TEST_P(Get, without_id_is_the_latest) {
  put_chain("t", 3);
  const auto found = load("t");
  EXPECT_EQ(found.checkpoint_id, "3");
  EXPECT_TRUE(json_equal(found.metadata, R"({"step": 3})"));
  EXPECT_EQ(found.parent_checkpoint_id, "2");
}

TEST_P(Get, with_id_is_that_checkpoint) {
  put_chain("t", 3);
  EXPECT_EQ(load("t", "2").checkpoint_id, "2");
  EXPECT_EQ(load("t", "2").parent_checkpoint_id, "1");
  EXPECT_EQ(load("t", "1").parent_checkpoint_id, std::nullopt);
}

TEST_P(Get, finds_the_greatest_id_whatever_came_last) {
  for (const auto* id : {"b", "d", "a", "c"}) put(Draft("t", id));
  EXPECT_EQ(load("t").checkpoint_id, "d");
}

TEST_P(Get, compares_ids_bytewise) {
  for (const auto* id : {"é", "a", "Z", "10", "9"}) put(Draft("t", id));
  EXPECT_EQ(load("t").checkpoint_id, "é");
  // U+1F600 sorts above U+FFFD in UTF-8 and below it in UTF-16.
  for (const auto* id : {"\U0001F600", "\uFFFD"}) put(Draft("u", id));
  EXPECT_EQ(load("u").checkpoint_id, "\U0001F600");
}

TEST_P(Get, has_a_latest_for_each_namespace) {
  put_chain("t", 3);
  put_chain("t", 2, "child:1");
  EXPECT_EQ(load("t").checkpoint_id, "3");
  EXPECT_EQ(load("t", {}, "child:1").checkpoint_id, "2");
}

TEST_P(Get, brings_the_pending_writes) {
  put(Draft("t", "1"));
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  EXPECT_EQ(describe(load("t").writes), (std::vector<std::string>{"task 0 a x"}));
}

TEST_P(Get, leaves_out_what_is_not_asked_for) {
  put(Draft("t", "1").value("a", "1", "x"));
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  CheckpointQuery query;
  query.thread_id = "t";
  query.include = {.values = false, .writes = true};
  const auto with_writes = access().get(query, Call{});
  ASSERT_TRUE(with_writes);
  EXPECT_EQ(with_writes->values.size(), 0U);
  EXPECT_EQ(with_writes->writes.size(), 1U);
  query.include = {.values = true, .writes = false};
  const auto with_values = access().get(query, Call{});
  ASSERT_TRUE(with_values);
  EXPECT_EQ(with_values->values.size(), 1U);
  EXPECT_EQ(with_values->writes.size(), 0U);
}

TEST_P(Get, sees_every_write_at_once) {
  for (int i = 100; i < 200; ++i) {
    const auto id = std::to_string(i);
    put(Draft("t", id).value("a", id, id));
    ASSERT_EQ(value_of(load("t"), "a"), id);
  }
}

}  // namespace

}  // namespace threadkeep::testing
