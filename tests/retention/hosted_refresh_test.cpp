// SPDX-License-Identifier: Apache-2.0
// Readers that make a thread active again.
#include "hosted_fixture.hpp"

namespace threadkeep::retention_test {
namespace {

using Strings = std::vector<std::string>;

class HostedRefresh : public Hosted {
 protected:
  std::uint64_t refresh(const Strings& ids) { return retention_->refresh(ids, Call()); }
  std::int64_t updated_at(const std::string& thread) {
    for (const auto& info : store_.threads({}, Call()).items) {
      if (info.thread_id == thread) return info.updated_at;
    }
    return 0;
  }
};

TEST_P(HostedRefresh, renews_a_thread_when_less_than_half_of_its_time_remains) {
  apply(R"([{"name": "week"}])");
  const std::int64_t begun = clock_.now();
  put_line("read", 2);
  put_line("left", 2);
  clock_.pass(7 * day / 2);
  EXPECT_EQ(refresh({"read"}), 0U);
  EXPECT_EQ(updated_at("read"), begun);
  clock_.pass(1);
  EXPECT_EQ(refresh({"read", "absent"}), 1U);
  EXPECT_EQ(updated_at("read"), clock_.now());
  EXPECT_EQ(refresh({"read"}), 0U) << "it is young now";
  clock_.pass(7 * day / 2);
  EXPECT_EQ(sweep().swept.threads, 1U);
  EXPECT_EQ(threads(), Strings{"read"});
  EXPECT_EQ(ids("read").size(), 2U);
}

TEST_P(HostedRefresh, goes_by_the_policy_that_decides_about_the_thread) {
  put_line("fixed", 1);
  put_line("long", 1);
  put_line("none", 1);
  put_line("short", 1);
  put_line("thinned", 1);
  apply(R"([{"name": "a", "threads": "fixed", "idle": "7d", "expiry": "fixed"},
            {"name": "b", "threads": "long", "idle": "30d"},
            {"name": "c", "threads": "thinned", "age": "1d", "keep_last": 1},
            {"name": "d", "threads": "short", "idle": "2d"}])");
  clock_.pass(10 * day);
  EXPECT_EQ(refresh({"fixed", "long", "none", "short", "thinned"}), 1U);
  EXPECT_EQ(updated_at("short"), clock_.now());
  clock_.pass(6 * day);
  EXPECT_EQ(refresh({"fixed", "long", "none", "thinned"}), 1U) << "16 of 30 days";
  EXPECT_EQ(updated_at("long"), clock_.now());
}

TEST_P(HostedRefresh, leaves_times_of_threads_pins_and_holds_as_they_are) {
  apply(R"([{"name": "week"}])");
  for (const char* id : {"held", "own", "pinned"}) put_line(id, 1);
  retention_->pin("pinned", Call());
  retention_->hold("held", "case", Call());
  retention_->expire("own", clock_.now() + 20 * day, Call());
  clock_.pass(19 * day);
  EXPECT_EQ(refresh({"held", "own", "pinned"}), 0U);
  clock_.pass(day);
  EXPECT_EQ(sweep().swept.threads, 1U);
  EXPECT_EQ(threads(), (Strings{"held", "pinned"}));
}

TEST_P(HostedRefresh, saves_a_thread_that_a_sweep_has_looked_at) {
  apply(R"([{"name": "week"}])");
  for (int i = 0; i < 3; ++i) put_line("t" + std::to_string(i), 1);
  clock_.pass(8 * day);
  retention::SweepOptions options;
  options.archive = retention::Archive{.keep =
                                           [&](std::int64_t, const Strings&, const Call&) {
                                             EXPECT_EQ(refresh({"t1"}), 1U);
                                             return std::string("kept");
                                           },
                                       .forget = [](const std::string&) {}};
  const auto result = retention_->sweep(options, Call());
  EXPECT_EQ(result.swept.threads, 2U);
  EXPECT_EQ(threads(), Strings{"t1"});
}

TEST_P(HostedRefresh, needs_retention_to_be_installed_and_no_policies) {
  put_line("a", 1);
  clock_.pass(100 * day);
  EXPECT_EQ(refresh({"a"}), 0U);
  EXPECT_EQ(refresh({}), 0U);
}

INSTANTIATE_TEST_SUITE_P(Stores, HostedRefresh, ::testing::ValuesIn(hosted_urls()), scheme_of);

}  // namespace
}  // namespace threadkeep::retention_test
