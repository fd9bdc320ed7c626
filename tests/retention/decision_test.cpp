// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/retention/decision.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace threadkeep::retention {
namespace {

using namespace std::chrono_literals;
using Ids = std::vector<std::string>;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t now = 1'800'000'000 * second;
constexpr std::int64_t day = 86'400 * second;
constexpr std::optional<std::int64_t> unknown;

CheckpointFacts checkpoint(const std::string& id, const std::string& parent = "",
                           std::optional<std::int64_t> time = now) {
  CheckpointFacts facts;
  facts.node.checkpoint_id = id;
  if (!parent.empty()) facts.node.parent_checkpoint_id = parent;
  facts.time = time;
  return facts;
}

ThreadFacts thread(std::vector<CheckpointFacts> checkpoints,
                   std::optional<std::int64_t> updated_at = now) {
  ThreadFacts facts;
  facts.thread_id = "chat-1";
  facts.updated_at = updated_at;
  facts.namespaces.push_back({"", std::move(checkpoints)});
  return facts;
}

// 1 <- 2 <- ... <- count
std::vector<CheckpointFacts> line(int count, std::optional<std::int64_t> time = now) {
  std::vector<CheckpointFacts> checkpoints;
  for (int i = 1; i <= count; ++i) {
    const std::string parent = i == 1 ? "" : std::to_string(i - 1);
    checkpoints.push_back(checkpoint(std::to_string(i), parent, time));
  }
  return checkpoints;
}

Policy idle(std::chrono::seconds limit) {
  return {.name = "p", .metadata = {}, .idle = limit};
}
Policy age(std::chrono::seconds limit) {
  return {.name = "p", .metadata = {}, .age = limit};
}
Policy keep_last(std::uint32_t count) {
  return {.name = "p", .metadata = {}, .keep_last = count};
}

Decision decide(const Policy& policy, const ThreadFacts& facts) {
  return retention::decide({&policy, 1}, facts, now);
}

Ids gone(const Policy& policy, const ThreadFacts& facts) {
  const Decision decision = decide(policy, facts);
  EXPECT_FALSE(decision.thread);
  Ids ids;
  for (const Removal& removal : decision.removals) ids.push_back(removal.checkpoint_id);
  return ids;
}

std::optional<Reason> whole(const Policy& policy, const ThreadFacts& facts) {
  return decide(policy, facts).thread;
}

// ---- Threads ----

TEST(RetentionDecision, a_thread_goes_when_it_is_idle_for_longer_than_the_limit) {
  EXPECT_EQ(whole(idle(24h), thread(line(1, now - day), now - day)), std::nullopt);
  EXPECT_EQ(whole(idle(24h), thread(line(1, now - day - 1), now - day - 1)), Reason::idle);
}

TEST(RetentionDecision, a_thread_of_a_limit_that_is_off_stays) {
  EXPECT_EQ(whole(idle(0s), thread(line(1, 0), 0)), std::nullopt);
}

TEST(RetentionDecision, a_checkpoint_that_is_newer_than_the_thread_row_counts) {
  EXPECT_EQ(whole(idle(24h), thread(line(1, now), now - 2 * day)), std::nullopt);
  EXPECT_EQ(whole(idle(24h), thread(line(1, now - 2 * day), now)), std::nullopt);
}

TEST(RetentionDecision, a_thread_without_any_known_time_is_never_old) {
  EXPECT_EQ(whole(idle(1s), thread(line(3, unknown), unknown)), std::nullopt);
  Policy fixed = idle(1s);
  fixed.expiry = Expiry::fixed;
  EXPECT_EQ(whole(fixed, thread(line(3, unknown), unknown)), std::nullopt);
}

TEST(RetentionDecision, one_namespace_of_unknown_time_keeps_a_thread_that_has_no_row) {
  ThreadFacts facts = thread(line(1, now - 9 * day), unknown);
  EXPECT_EQ(whole(idle(24h), facts), Reason::idle);
  facts.namespaces.push_back({"child", line(1, unknown)});
  EXPECT_EQ(whole(idle(24h), facts), std::nullopt);
  facts.updated_at = now - 9 * day;
  EXPECT_EQ(whole(idle(24h), facts), Reason::idle);
}

TEST(RetentionDecision, only_the_latest_checkpoint_of_a_namespace_tells_when_it_was_active) {
  auto checkpoints = line(2, now - 9 * day);
  checkpoints[0].time = unknown;
  EXPECT_EQ(whole(idle(24h), thread(checkpoints, unknown)), Reason::idle);
}

TEST(RetentionDecision, a_fixed_limit_counts_from_the_beginning) {
  Policy fixed = idle(24h);
  fixed.expiry = Expiry::fixed;
  ThreadFacts facts = thread(line(1), now);
  facts.created_at = now - day;
  EXPECT_EQ(whole(fixed, facts), std::nullopt);
  facts.created_at = now - day - 1;
  EXPECT_EQ(whole(fixed, facts), Reason::idle);
}

TEST(RetentionDecision, a_beginning_that_nobody_noted_is_that_of_the_oldest_checkpoint) {
  Policy fixed = idle(24h);
  fixed.expiry = Expiry::fixed;
  auto checkpoints = line(2, now);
  checkpoints[0].time = now - day - 1;
  EXPECT_EQ(whole(fixed, thread(checkpoints)), Reason::idle);
  checkpoints[0].time = now - day;
  EXPECT_EQ(whole(fixed, thread(checkpoints)), std::nullopt);
}

TEST(RetentionDecision, a_time_of_its_own_takes_the_place_of_idle) {
  ThreadFacts facts = thread(line(1, now - 9 * day), now - 9 * day);
  facts.expires_at = now + 1;
  EXPECT_EQ(whole(idle(24h), facts), std::nullopt);
  facts.expires_at = now;
  EXPECT_EQ(whole(idle(24h), facts), Reason::expired);
  EXPECT_EQ(whole(idle(0s), facts), Reason::expired);
  EXPECT_EQ(retention::decide({}, facts, now).thread, Reason::expired);
}

TEST(RetentionDecision, pins_and_holds_beat_everything) {
  ThreadFacts facts = thread(line(9, now - 9 * day), now - 9 * day);
  facts.expires_at = now - 1;
  for (bool ThreadFacts::*mark : {&ThreadFacts::pinned, &ThreadFacts::held}) {
    ThreadFacts kept = facts;
    kept.*mark = true;
    EXPECT_EQ(whole(idle(1s), kept), std::nullopt);
    EXPECT_EQ(gone(keep_last(1), kept), Ids{});
  }
}

TEST(RetentionDecision, the_first_policy_that_matches_decides) {
  std::vector<Policy> policies(3);
  policies[0] = {.name = "other", .threads = "mail-*", .metadata = {}, .idle = 1s};
  policies[1] = {.name = "vip", .metadata = {{"tier", "\"vip\""}, {"n", "1.0"}}};
  policies[2] = idle(1s);
  ThreadFacts facts = thread(line(1, now - day), now - day);
  EXPECT_EQ(retention::decide(policies, facts, now).policy, "p");
  EXPECT_EQ(retention::decide(policies, facts, now).thread, Reason::idle);
  facts.metadata = R"({"tier":"vip","n":1})";
  EXPECT_EQ(retention::decide(policies, facts, now).policy, "vip");
  EXPECT_EQ(retention::decide(policies, facts, now).thread, std::nullopt);
  facts.thread_id = "mail-1";
  EXPECT_EQ(retention::decide(policies, facts, now).policy, "other");
}

TEST(RetentionDecision, without_a_policy_nothing_goes) {
  const Decision decision = retention::decide({}, thread(line(3, 0), 0), now);
  EXPECT_EQ(decision.policy, "");
  EXPECT_EQ(decision.thread, std::nullopt);
  EXPECT_TRUE(decision.removals.empty());
}

// ---- Checkpoints ----

TEST(RetentionDecision, the_newest_checkpoints_of_each_namespace_stay) {
  ThreadFacts facts = thread(line(4));
  facts.namespaces.push_back({"child", line(3)});
  const Decision decision = decide(keep_last(2), facts);
  const std::vector<Removal> expected = {{"", "1", Reason::keep_last},
                                         {"", "2", Reason::keep_last},
                                         {"child", "1", Reason::keep_last}};
  EXPECT_EQ(decision.removals, expected);
  EXPECT_EQ(gone(keep_last(4), facts), Ids{});
}

TEST(RetentionDecision, newest_is_the_greatest_id_by_its_bytes) {
  EXPECT_EQ(gone(keep_last(1), thread({checkpoint("b"), checkpoint("B"), checkpoint("\xc3\xa4")})),
            (Ids{"B", "b"}));
}

TEST(RetentionDecision, checkpoints_older_than_the_limit_go_but_for_the_latest) {
  auto checkpoints = line(4, now - 2 * day);
  checkpoints[1].time = now - day;
  checkpoints[2].time = now - day - 1;
  EXPECT_EQ(gone(age(24h), thread(checkpoints)), (Ids{"1", "3"}));
}

TEST(RetentionDecision, a_checkpoint_of_unknown_time_is_never_too_old) {
  auto checkpoints = line(3, now - 2 * day);
  checkpoints[0].time = unknown;
  EXPECT_EQ(gone(age(24h), thread(checkpoints)), Ids{"2"});
}

TEST(RetentionDecision, age_and_number_take_what_either_takes) {
  Policy both = age(24h);
  both.keep_last = 3;
  auto checkpoints = line(5);
  checkpoints[3].time = now - 2 * day;
  EXPECT_EQ(gone(both, thread(checkpoints)), (Ids{"1", "2", "4"}));
}

TEST(RetentionDecision, what_a_delta_channel_is_rebuilt_from_stays) {
  auto checkpoints = line(6);
  for (auto& facts : checkpoints) facts.node.delta_channels = {"messages"};
  checkpoints[1].node.valued_channels = {"messages"};
  EXPECT_EQ(gone(keep_last(1), thread(checkpoints)), Ids{"1"});
  checkpoints[5].node.valued_channels = {"messages"};
  EXPECT_EQ(gone(keep_last(1), thread(checkpoints)), (Ids{"1", "2", "3", "4", "5"}));
}

TEST(RetentionDecision, a_fork_point_stays_while_two_of_its_children_do) {
  const auto facts = thread({checkpoint("1"), checkpoint("2", "1"), checkpoint("3", "2"),
                             checkpoint("4", "2"), checkpoint("5", "3")});
  EXPECT_EQ(gone(keep_last(3), facts), Ids{"1"});
  EXPECT_EQ(gone(keep_last(2), facts), (Ids{"1", "2", "3"}));
}

TEST(RetentionDecision, fork_points_of_fork_points_stay) {
  const auto facts = thread({checkpoint("1"), checkpoint("2", "1"), checkpoint("3", "2"),
                             checkpoint("4", "2"), checkpoint("5", "1")});
  EXPECT_EQ(gone(keep_last(3), facts), Ids{});
}

TEST(RetentionDecision, an_open_interrupt_stays_and_an_answered_one_goes) {
  auto checkpoints = line(4);
  checkpoints.push_back(checkpoint("1b", "1"));
  checkpoints[1].interrupted = true;
  checkpoints[4].interrupted = true;
  EXPECT_EQ(gone(keep_last(1), thread(checkpoints)), (Ids{"1", "2", "3"}));
}

TEST(RetentionDecision, a_parent_whose_writes_are_needed_stays) {
  auto checkpoints = line(4);
  checkpoints[3].needs_parent = true;
  EXPECT_EQ(gone(keep_last(1), thread(checkpoints)), (Ids{"1", "2"}));
}

TEST(RetentionDecision, what_stays_for_another_one_has_needs_of_its_own) {
  auto checkpoints = line(5);
  checkpoints[4].needs_parent = true;
  checkpoints[3].node.delta_channels = {"d"};
  checkpoints[1].node.valued_channels = {"d"};
  EXPECT_EQ(gone(keep_last(1), thread(checkpoints)), Ids{"1"});
}

TEST(RetentionDecision, a_circle_of_parents_ends) {
  auto checkpoints = line(3);
  checkpoints[0].node.parent_checkpoint_id = "3";
  for (auto& facts : checkpoints) facts.node.delta_channels = {"d"};
  EXPECT_EQ(gone(keep_last(1), thread(checkpoints)), Ids{});
}

TEST(RetentionDecision, deciding_again_after_the_sweep_takes_nothing_more) {
  auto facts = thread({checkpoint("1"), checkpoint("2", "1"), checkpoint("3", "2"),
                       checkpoint("4", "2"), checkpoint("5", "3")});
  const Ids first = gone(keep_last(3), facts);
  std::erase_if(facts.namespaces[0].checkpoints, [&](const auto& checkpoint) {
    return std::ranges::find(first, checkpoint.node.checkpoint_id) != first.end();
  });
  EXPECT_EQ(gone(keep_last(3), facts), Ids{});
}

}  // namespace
}  // namespace threadkeep::retention
