// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_require_latest_cases() {}

namespace {

using Strings = std::vector<std::string>;

Draft demanding(std::string id, std::string parent) {
  return Draft("t", std::move(id)).parent(std::move(parent)).require_latest_parent();
}

TEST_P(RequireLatest, lets_the_first_checkpoint_in) {
  put(Draft("t", "1").require_latest_parent());
  EXPECT_EQ(ids_of("t"), (Strings{"1"}));
}

TEST_P(RequireLatest, lets_the_child_of_the_latest_in) {
  put(Draft("t", "1"));
  EXPECT_EQ(put(demanding("2", "1").value("a", "1", "x")).changed, 2U);
  put(demanding("3", "2"));
  EXPECT_EQ(ids_of("t"), (Strings{"3", "2", "1"}));
}

TEST_P(RequireLatest, is_a_conflict_for_a_second_first_checkpoint) {
  put(Draft("t", "1"));
  expect_error(Code::conflict, "put", [&] { put(Draft("t", "2").require_latest_parent()); });
  EXPECT_EQ(ids_of("t"), (Strings{"1"}));
}

TEST_P(RequireLatest, is_a_conflict_when_the_parent_is_not_the_latest) {
  put_chain("t", 2);
  const auto late = demanding("3", "1").value("a", "1", "x");
  expect_error(Code::conflict, "put", [&] { put(late); });
  EXPECT_EQ(ids_of("t"), (Strings{"2", "1"}));
  put(Draft("t", "4").parent("2").carries("a", "1"));
  EXPECT_EQ(load("t").values, std::vector<Blob>{}) << "a refused put leaves no value behind";
}

TEST_P(RequireLatest, is_a_conflict_when_the_parent_is_absent) {
  expect_error(Code::conflict, "put", [&] { put(demanding("2", "1")); });
  put(Draft("t", "1"));
  expect_error(Code::conflict, "put", [&] { put(demanding("3", "2")); });
  EXPECT_EQ(ids_of("t"), (Strings{"1"}));
}

TEST_P(RequireLatest, succeeds_again_for_what_is_stored) {
  put(Draft("t", "1"));
  const PutCheckpoint child = demanding("2", "1").value("a", "1", "x").metadata(R"({"n": 1})");
  put(child);
  EXPECT_EQ(put(child).dropped, 0U);
  put(demanding("3", "2"));
  put(child);  // Also when others came after it.
  auto respelled = child;
  respelled.metadata = R"({ "n" : 1.0 })";
  put(respelled);
  EXPECT_EQ(ids_of("t"), (Strings{"3", "2", "1"}));
}

TEST_P(RequireLatest, is_a_conflict_for_other_content_under_a_stored_id) {
  put(Draft("t", "1"));
  put(demanding("2", "1").metadata(R"({"n": 1})"));
  expect_error(Code::conflict, "put", [&] { put(demanding("2", "1").metadata(R"({"n": 2})")); });
  expect_error(Code::conflict, "put", [&] { put(demanding("2", "1").carries("a", "1")); });
  EXPECT_TRUE(json_equal(load("t").metadata, R"({"n": 1})"));
}

TEST_P(RequireLatest, looks_at_its_own_namespace) {
  put_chain("t", 2);
  put(Draft("t", "1").ns("child").require_latest_parent());
  put(demanding("3", "2"));
  EXPECT_EQ(load("t").checkpoint_id, "3");
}

TEST_P(RequireLatest, lets_one_of_many_racers_win) {
  put(Draft("t", "1"));
  std::atomic<int> won = 0;
  std::atomic<int> lost = 0;
  const auto race = [&](int racer) {
    try {
      put(demanding("2-" + std::to_string(racer), "1"));
      ++won;
    } catch (const Error& error) {
      if (error.code() == Code::conflict) ++lost;
    }
  };
  std::vector<std::thread> racers;
  for (int i = 0; i < 8; ++i) racers.emplace_back(race, i);
  for (auto& racer : racers) racer.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 7);
  EXPECT_EQ(ids_of("t").size(), 2U);
}

}  // namespace

}  // namespace threadkeep::testing
