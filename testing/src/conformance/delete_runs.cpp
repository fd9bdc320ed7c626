// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_delete_runs_cases() {}

namespace {

using Strings = std::vector<std::string>;

Draft of_run(std::string thread_id, std::string checkpoint_id, const std::string& run_id) {
  return Draft(std::move(thread_id), std::move(checkpoint_id))
      .metadata(R"({"run_id": )" + json_string(run_id) + "}");
}

TEST_P(DeleteRun, removes_its_checkpoints_only) {
  put(of_run("t", "1", "run-1"));
  put(of_run("t", "2", "run-2").parent("1"));
  EXPECT_EQ(write(DeleteRuns{{"run-1"}}).changed, 1U);
  EXPECT_EQ(ids_of("t"), (Strings{"2"}));
  EXPECT_EQ(load("t", "2").parent_checkpoint_id, "1");
}

TEST_P(DeleteRun, removes_several_runs) {
  for (const auto* n : {"1", "2", "3"}) put(of_run("t", n, std::string("run-") + n));
  EXPECT_EQ(write(DeleteRuns{{"run-1", "run-2"}}).changed, 2U);
  EXPECT_EQ(ids_of("t"), (Strings{"3"}));
}

TEST_P(DeleteRun, reaches_all_threads_and_namespaces) {
  put(of_run("t", "1", "run"));
  put(of_run("t", "1", "run").ns("child:1"));
  put(of_run("u", "1", "run"));
  put(of_run("u", "2", "other"));
  EXPECT_EQ(write(DeleteRuns{{"run"}}).changed, 3U);
  EXPECT_EQ(ids({}), (Strings{"2"}));
}

TEST_P(DeleteRun, removes_the_writes) {
  put(of_run("t", "1", "run"));
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  write(DeleteRuns{{"run"}});
  EXPECT_FALSE(get("t", "1"));
  put(Draft("t", "1"));
  EXPECT_EQ(load("t", "1").writes, std::vector<PendingWrite>{});
}

TEST_P(DeleteRun, removes_values_that_nobody_refers_to) {
  put(of_run("t", "1", "run").value("a", "1", "shared").value("b", "1", "alone"));
  put(of_run("t", "2", "other").parent("1").carries("a", "1"));
  write(DeleteRuns{{"run"}});
  EXPECT_EQ(value_of(load("t", "2"), "a"), "shared");
  put(Draft("t", "3").parent("2").carries("b", "1"));
  EXPECT_EQ(value_of(load("t", "3"), "b"), std::nullopt);
}

TEST_P(DeleteRun, keeps_values_apart_by_namespace) {
  put(of_run("t", "1", "run").value("a", "1", "root"));
  put(of_run("t", "1", "other").ns("child").value("a", "1", "child"));
  write(DeleteRuns{{"run"}});
  EXPECT_EQ(value_of(load("t", "1", "child"), "a"), "child");
  put(Draft("t", "2").carries("a", "1"));
  EXPECT_EQ(load("t", "2").values, std::vector<Blob>{});
}

TEST_P(DeleteRun, of_none_does_nothing) {
  put(of_run("t", "1", "run"));
  put(Draft("t", "2"));
  EXPECT_EQ(write(DeleteRuns{{}}), Written{});
  EXPECT_EQ(write(DeleteRuns{{"unknown"}}), Written{});
  EXPECT_EQ(ids_of("t"), (Strings{"2", "1"}));
}

TEST_P(DeleteRun, finds_strings_at_the_top_only) {
  put(Draft("t", "1").metadata(R"({"run_id": 7})"));
  put(Draft("t", "2").metadata(R"({"nested": {"run_id": "7"}})"));
  put(Draft("t", "3").metadata(R"({"run_id": null})"));
  put(of_run("t", "4", "7"));
  EXPECT_EQ(write(DeleteRuns{{"7", "null"}}).changed, 1U);
  EXPECT_EQ(ids_of("t"), (Strings{"3", "2", "1"}));
}

TEST_P(DeleteRun, takes_an_id_twice) {
  put(of_run("t", "1", "run"));
  EXPECT_EQ(write(DeleteRuns{{"run", "run"}}).changed, 1U);
}

TEST_P(DeleteRun, takes_ids_of_any_text) {
  for (const std::string id : {"a'b", "%", "{run}*", "a\"b\\", "é"}) {
    put(of_run("t", "1", id));
    EXPECT_EQ(write(DeleteRuns{{id}}).changed, 1U) << id;
  }
}

TEST_P(DeleteRun, moves_the_latest_back) {
  put(of_run("t", "1", "kept"));
  put(of_run("t", "2", "run").parent("1"));
  write(DeleteRuns{{"run"}});
  EXPECT_EQ(load("t").checkpoint_id, "1");
}

// Delta channels: the value at a checkpoint is rebuilt from its ancestors.
std::string delta_metadata(const std::string& run_id) {
  return R"({"run_id": )" + json_string(run_id) +
         R"(, "counters_since_delta_snapshot": {"messages": [1, 1]}})";
}

TEST_P(DeleteRun, is_a_conflict_when_a_delta_channel_needs_it) {
  put(of_run("t", "1", "base").value("messages", "1", "snapshot"));
  put_writes("t", "1", {pending("task", 0, "messages", "x")});
  put(Draft("t", "2").parent("1").carries("messages", "2").metadata(delta_metadata("run")));
  put(of_run("u", "1", "base"));
  expect_error(Code::conflict, "delete_runs", [&] { write(DeleteRuns{{"base"}}); });
  EXPECT_EQ(ids_of("t"), (Strings{"2", "1"}));
  EXPECT_EQ(ids_of("u"), (Strings{"1"})) << "nothing at all is deleted";
  EXPECT_EQ(history("t", "messages", "2").writes.size(), 1U);
}

TEST_P(DeleteRun, takes_a_delta_chain_as_a_whole) {
  put(of_run("t", "1", "base").value("messages", "1", "snapshot"));
  put(Draft("t", "2").parent("1").carries("messages", "2").metadata(delta_metadata("run")));
  EXPECT_EQ(write(DeleteRuns{{"base", "run"}}).changed, 2U);
  EXPECT_EQ(ids_of("t"), Strings{});
}

TEST_P(DeleteRun, is_free_beyond_the_nearest_snapshot) {
  put(of_run("t", "1", "base").value("messages", "1", "old"));
  put(of_run("t", "2", "kept").parent("1").value("messages", "2", "snapshot"));
  put(Draft("t", "3").parent("2").carries("messages", "3").metadata(delta_metadata("run")));
  EXPECT_EQ(write(DeleteRuns{{"base"}}).changed, 1U);
  EXPECT_EQ(ids_of("t"), (Strings{"3", "2"}));
}

}  // namespace

}  // namespace threadkeep::testing
