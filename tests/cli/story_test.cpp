// SPDX-License-Identifier: Apache-2.0
// In which order the checkpoints of a thread are told.
#include "story.hpp"

#include <gtest/gtest.h>

namespace threadkeep::cli {
namespace {

using Links = std::vector<std::pair<std::string, std::string>>;  // id and parent, "" for none

// "1 2 (3) 4": the ids in order, each fork in one more pair of brackets.
std::string told(const Links& links) {
  std::vector<CheckpointTuple> checkpoints(links.size());
  for (std::size_t i = 0; i < links.size(); ++i) {
    checkpoints[i].checkpoint_id = links[i].first;
    if (!links[i].second.empty()) checkpoints[i].parent_checkpoint_id = links[i].second;
  }
  std::string text;
  for (const auto& step : story(checkpoints)) {
    text += (text.empty() ? "" : " ") + std::string(step.depth, '(') +
            checkpoints[step.checkpoint].checkpoint_id + std::string(step.depth, ')');
  }
  return text;
}

TEST(Story, goes_from_the_oldest_to_the_latest) {
  EXPECT_EQ(told({}), "");
  EXPECT_EQ(told({{"3", "2"}, {"2", "1"}, {"1", ""}}), "1 2 3");
}

TEST(Story, tells_what_was_left_before_what_went_on) {
  EXPECT_EQ(told({{"5", "2"}, {"4", "3"}, {"3", "2"}, {"2", "1"}, {"1", ""}}), "1 2 (3) (4) 5");
  EXPECT_EQ(told({{"6", "1"}, {"5", "2"}, {"4", "3"}, {"3", "2"}, {"2", "1"}, {"1", ""}}),
            "1 (2) ((3)) ((4)) (5) 6");
}

TEST(Story, follows_the_latest_also_through_an_old_fork) {
  EXPECT_EQ(told({{"9", "2"}, {"4", "3"}, {"3", "1"}, {"2", "1"}, {"1", ""}}), "1 (3) (4) 2 9");
}

TEST(Story, begins_anew_where_a_parent_is_not_there) {
  EXPECT_EQ(told({{"4", "3"}, {"3", "gone"}, {"1", ""}}), "1 3 4");
}

TEST(Story, says_where_a_thread_forks) {
  std::vector<CheckpointTuple> checkpoints(3);
  checkpoints[0].checkpoint_id = "3";
  checkpoints[0].parent_checkpoint_id = "1";
  checkpoints[1].checkpoint_id = "2";
  checkpoints[1].parent_checkpoint_id = "1";
  checkpoints[2].checkpoint_id = "1";
  const auto steps = story(checkpoints);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_TRUE(steps[0].forks);
  EXPECT_FALSE(steps[1].forks);
}

TEST(Story, ends_whatever_the_parents_say) {
  EXPECT_EQ(told({{"1", "1"}}), "1");
  EXPECT_EQ(told({{"2", "1"}, {"1", "2"}}), "1 2");
  Links chain;
  for (int i = 0; i < 100'000; ++i) {
    chain.emplace_back(std::to_string(1'000'000 + i), i == 0 ? "" : std::to_string(999'999 + i));
  }
  EXPECT_EQ(told(chain).size(), chain.size() * 8 - 1);
}

}  // namespace
}  // namespace threadkeep::cli
