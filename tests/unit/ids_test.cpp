// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/ids.hpp"

#include <gtest/gtest.h>

namespace threadkeep {

namespace {

TEST(TimeOfId, is_that_of_rfc_9562) {
  // Appendix A.5: Tuesday, February 22, 2022 2:22:22.00 PM GMT-05:00.
  EXPECT_EQ(time_of_id("1EC9414C-232A-6B00-B3C8-9F6BDECED846"), 1645557742000000);
}

TEST(TimeOfId, comes_back_from_the_ids_that_are_made_here) {
  for (const std::int64_t now : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1234567},
                                 std::int64_t{1'800'000'000'123'456}}) {
    CheckpointIds ids(Environment{[now] { return now; }});
    EXPECT_EQ(time_of_id(ids.next()), now);
  }
}

TEST(TimeOfId, may_be_before_1970) {
  EXPECT_EQ(time_of_id("00000000-0000-6000-8000-000000000000"), -12219292800000000);
}

TEST(TimeOfId, of_other_ids_is_unknown) {
  for (const auto* id : {
           "", "1",
           "1ec9414c-232a-1b00-b3c8-9f6bdeced846",   // version 1
           "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",   // version 7
           "1ec9414c-232a-6b00-73c8-9f6bdeced846",   // variant 0
           "1ec9414c-232a-6b00-f3c8-9f6bdeced846",   // variant 3
           "1ec9414c-232a-6b00-b3c8-9f6bdeced84",    // too short
           "1ec9414c-232a-6b00-b3c8-9f6bdeced8466",  // too long
           "1ec9414c-232a-6b00-b3c8-9f6bdeced84g",   // no digit
           "1ec9414c0232a-6b00-b3c8-9f6bdeced846",   // no hyphen
           "1ec9414-c232a-6b00-b3c8-9f6bdeced846",   // hyphen elsewhere
       }) {
    EXPECT_EQ(time_of_id(id), std::nullopt) << id;
  }
}

}  // namespace

}  // namespace threadkeep
