// SPDX-License-Identifier: Apache-2.0
#include "facts.hpp"

#include <gtest/gtest.h>

#include "random_threads.hpp"
#include "threadkeep/ids.hpp"
#include "verdict.hpp"

namespace threadkeep::retention {
namespace {

constexpr std::int64_t noon = 1'785'585'600'000'000;  // 2026-08-01

TEST(RetentionFacts, read_times_of_every_form) {
  for (const char* text :
       {"2026-08-01T12:00:00.000000+00:00", "2026-08-01T12:00:00Z", "2026-08-01T14:00:00+02:00",
        "2026-08-01T07:30:00-0430", "2026-08-01T12:00:00", "2026-08-01 12:00"}) {
    EXPECT_EQ(read_time(text), noon) << text;
  }
  EXPECT_EQ(read_time("2026-08-01T12:00:00.5Z"), noon + 500'000);
  EXPECT_EQ(read_time("2026-08-01T12:00:00.123456789Z"), noon + 123'456);
  EXPECT_EQ(read_time(retention_test::iso_time(noon + 1)), noon + 1);
}

TEST(RetentionFacts, take_nothing_else_for_a_time) {
  for (const char* text : {"", "now", "yesterday", "infinity", "1785585600", "2026-08-01",
                           "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-08-01T24:00:00Z",
                           "2026-08-01T12:60:00Z", "2026-08-01T12:00:00.Z", "2026-08-01T12:00:00Z ",
                           "2026-08-01T12:00:00+1", "26-08-01T12:00:00Z"}) {
    EXPECT_EQ(read_time(text), std::nullopt) << text;
  }
}

ThreadRows thread_of(std::vector<CheckpointRow> checkpoints) {
  ThreadRows rows;
  rows.info = ThreadInfo{.thread_id = "a", .created_at = 1, .updated_at = 2};
  rows.checkpoints = std::move(checkpoints);
  return rows;
}

std::optional<std::int64_t> time_of(const std::string& id, const std::string& document) {
  return facts_of(thread_of({{"", id, {}, document, "{}"}})).namespaces[0].checkpoints[0].time;
}

TEST(RetentionFacts, know_when_a_checkpoint_was_made_by_its_document_or_by_its_id) {
  const std::string id = CheckpointIds({.now = [] { return noon + 7; }, .first_use = {}}).next();
  EXPECT_EQ(time_of(id, R"({"ts":"2026-08-01T12:00:00Z"})"), noon);
  EXPECT_EQ(time_of(id, R"({"ts":"1970-01-01T00:00:00Z"})"), noon + 7);
  EXPECT_EQ(time_of(id, R"({"ts":5})"), noon + 7);
  EXPECT_EQ(time_of(id, "{}"), noon + 7);
  EXPECT_EQ(time_of("000001", "{}"), std::nullopt);
  EXPECT_EQ(time_of("00000000-0000-6000-8000-000000000000", "{}"), std::nullopt);
}

TEST(RetentionFacts, take_metadata_of_the_thread_before_that_of_its_latest_checkpoint) {
  ThreadRows rows = thread_of({{"", "1", {}, "{}", R"({"tier":"old"})"},
                               {"", "2", {}, "{}", R"({"tier":"free","user":"ada"})"},
                               {"child", "3", {}, "{}", R"({"tier":"child"})"}});
  EXPECT_EQ(facts_of(rows).metadata, R"({"tier":"free","user":"ada"})");
  rows.info->metadata = R"({"tier":"vip"})";
  EXPECT_EQ(facts_of(rows).metadata, R"({"tier":"vip","user":"ada"})");
}

TEST(RetentionFacts, know_which_checkpoints_have_values_interrupts_and_needs) {
  ThreadRows rows =
      thread_of({{"", "1", {}, R"({"v":1,"channel_versions":{"a":"1","b":"1"}})", "{}"},
                 {"", "2", "1", R"({"v":1,"channel_values":{"c":1},"channel_versions":{"a":"2"}})",
                  R"({"counters_since_delta_snapshot":{"d":[1,1]}})"},
                 {"", "3", "2", R"({"v":4})", "{}"}});
  rows.writes = {{"", "1", "__pregel_tasks", 1}, {"", "3", "__interrupt__", 1}};
  rows.blobs = {{"", "a", "1", 1, true}, {"", "b", "1", 0, false}};
  const auto facts = facts_of(rows).namespaces[0].checkpoints;
  EXPECT_EQ(facts[0].node.valued_channels, std::set<std::string>{"a"});
  EXPECT_EQ(facts[1].node.valued_channels, std::set<std::string>{"c"});
  EXPECT_EQ(facts[1].node.delta_channels, std::vector<std::string>{"d"});
  EXPECT_FALSE(facts[0].needs_parent);
  EXPECT_TRUE(facts[1].needs_parent);
  EXPECT_FALSE(facts[2].needs_parent);
  EXPECT_FALSE(facts[1].interrupted);
  EXPECT_TRUE(facts[2].interrupted);
}

// A thread of 2026-08-01 noon, whose longest namespace has so many checkpoints.
ThreadGlance glance_at(std::size_t longest) {
  ThreadGlance glance;
  glance.edges = thread_of({{"", "1", {}, R"({"ts":"2026-08-01T12:00:00Z"})", "{}"}});
  glance.edges.info->created_at = glance.edges.info->updated_at = noon;
  glance.longest = longest;
  return glance;
}

bool may_be_due(const std::string& policy, const ThreadGlance& glance) {
  constexpr std::int64_t two_days = 2LL * 86'400'000'000;
  const auto policies = policies_from_json(R"([{"name":"p",)" + policy + "}]");
  return may_be_due(policies, glance, noon + two_days);
}

TEST(RetentionGlance, tells_from_what_nothing_can_go) {
  EXPECT_TRUE(may_be_due(R"("idle":"1d")", glance_at(9)));
  EXPECT_FALSE(may_be_due(R"("idle":"7d")", glance_at(9)));
  EXPECT_TRUE(may_be_due(R"("idle":"7d","keep_last":8)", glance_at(9)));
  EXPECT_FALSE(may_be_due(R"("idle":"7d","keep_last":9)", glance_at(9)));
  EXPECT_TRUE(may_be_due(R"("age":"1d")", glance_at(2)));
  EXPECT_FALSE(may_be_due(R"("age":"1d","keep_last":1)", glance_at(1)));
  EXPECT_FALSE(may_be_due(R"("idle":"1d","threads":"other")", glance_at(9)));
}

TEST(RetentionGlance, heeds_what_was_ordered) {
  ThreadGlance glance = glance_at(9);
  glance.edges.expires_at = noon;
  EXPECT_TRUE(may_be_due(R"("idle":"7d")", glance));
  glance.edges.expires_at = {};
  glance.edges.held = true;
  EXPECT_FALSE(may_be_due(R"("idle":"1d","keep_last":1)", glance));
}

}  // namespace
}  // namespace threadkeep::retention
