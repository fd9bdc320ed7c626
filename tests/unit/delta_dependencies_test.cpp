// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "threadkeep/backend_support.hpp"

namespace threadkeep {
namespace {

using Ids = std::set<std::string>;

struct Case {
  std::string name;
  std::vector<CheckpointNode> nodes;
  std::string of;
  Ids needed;
};

void PrintTo(const Case& test, std::ostream* out) {
  *out << test.name;
}

// id, parent, delta channels, channels with a value
const std::vector<Case> cases{
    {"nothing_without_delta_channels", {{"1", {}, {}, {"a"}}, {"2", "1", {}, {}}}, "2", {}},
    {"the_nearest_value", {{"1", {}, {}, {"a"}}, {"2", "1", {"a"}, {}}}, "2", {"1"}},
    {"nothing_when_it_has_the_value_itself",
     {{"1", {}, {}, {"a"}}, {"2", "1", {"a"}, {"a"}}},
     "2",
     {}},
    {"all_up_to_the_value",
     {{"1", {}, {}, {"a"}}, {"2", "1", {}, {"a"}}, {"3", "2", {"a"}, {}}, {"4", "3", {"a"}, {}}},
     "4",
     {"2", "3"}},
    {"the_root_when_there_is_no_value",
     {{"1", {}, {}, {}}, {"2", "1", {"a"}, {}}, {"3", "2", {"a"}, {}}},
     "3",
     {"1", "2"}},
    {"as_far_as_its_farthest_channel",
     {{"1", {}, {}, {"a"}}, {"2", "1", {}, {"b"}}, {"3", "2", {"a", "b"}, {}}},
     "3",
     {"1", "2"}},
    {"only_what_its_own_channels_need",
     {{"1", {}, {}, {"b"}}, {"2", "1", {"b"}, {"a"}}, {"3", "2", {"a"}, {}}},
     "3",
     {"2"}},
    {"parents_and_not_neighbours",
     {{"1", {}, {}, {"a"}}, {"2", "1", {"a"}, {}}, {"3", "1", {"a"}, {}}},
     "3",
     {"1"}},
    {"up_to_a_missing_parent", {{"2", "1", {"a"}, {}}, {"3", "2", {"a"}, {}}}, "3", {"2"}},
    {"no_circle", {{"1", "2", {"a"}, {}}, {"2", "1", {"a"}, {}}}, "2", {"1"}},
    {"not_itself", {{"1", "1", {"a"}, {}}}, "1", {}},
    {"a_circle_among_ancestors",
     {{"1", "2", {}, {}}, {"2", "1", {}, {}}, {"3", "2", {"a"}, {}}},
     "3",
     {"1", "2"}},
    {"nothing_for_an_unknown_checkpoint", {{"1", {}, {"a"}, {}}}, "9", {}},
};

class NeededBy : public ::testing::TestWithParam<Case> {};

TEST_P(NeededBy, delta_channels) {
  EXPECT_EQ(DeltaDependencies(GetParam().nodes).needed_by(GetParam().of), GetParam().needed);
}

INSTANTIATE_TEST_SUITE_P(, NeededBy, ::testing::ValuesIn(cases),
                         [](const auto& test) { return test.param.name; });

TEST(NeededByLongChains, ends_soon) {
  std::vector<CheckpointNode> nodes{{"0", {}, {}, {"a"}}};
  for (int i = 1; i <= 20'000; ++i) {
    nodes.push_back({std::to_string(i), std::to_string(i - 1), {"a"}, {}});
  }
  EXPECT_EQ(DeltaDependencies(std::move(nodes)).needed_by("20000").size(), 20'000U);
}

}  // namespace
}  // namespace threadkeep
