// SPDX-License-Identifier: Apache-2.0
// Somebody writes between the look of a sweep and its deletion.
#include "hosted.hpp"
#include "hosted_fixture.hpp"

namespace threadkeep::retention_test {
namespace {

using namespace retention;
using Strings = std::vector<std::string>;

/// Does something before each write transaction.
class Interposed final : public Host {
 public:
  Interposed(Host& host, std::function<void()> before) : host_(host), before_(std::move(before)) {}

  void read(const Work& work, const Call& call) override { host_.read(work, call); }
  void write(const Work& work, const Call& call) override {
    before_();
    host_.write(work, call);
  }
  bool give_back(const Call& call) override { return host_.give_back(call); }

 private:
  Host& host_;
  const std::function<void()> before_;
};

class HostedRaces : public Hosted {
 protected:
  // Sweeps, and calls `other` after the look.
  SweepResult sweep_beside(const std::function<void()>& other) {
    int writes = 0;
    Interposed host(*store_.retention(), [&] {
      if (++writes == 2) other();
    });
    return retention::HostedRetention(host).sweep({}, Call());
  }
  void make_old(const Strings& names) {
    for (const auto& name : names) put_line(name, 2);
    clock_.pass(8 * day);
    apply(R"([{"name": "week"}])");
  }
};

TEST_P(HostedRaces, a_thread_that_is_resumed_meanwhile_stays) {
  make_old({"old", "resumed"});
  const auto result = sweep_beside(
      [&] { store_.write(Draft("resumed", "3").parent("2").carries("shared", "1"), Call()); });
  EXPECT_EQ(result.swept.threads, 1U);
  EXPECT_EQ(threads(), Strings{"resumed"});
  const auto resumed = store_.get({"resumed", "", "3", {}}, Call());
  ASSERT_EQ(resumed->values.size(), 1U);
  EXPECT_EQ(resumed->values[0].data.view(), "for all");
}

TEST_P(HostedRaces, a_thread_that_is_pinned_meanwhile_stays) {
  make_old({"old", "pinned"});
  sweep_beside([&] { retention_->pin("pinned", Call()); });
  EXPECT_EQ(threads(), Strings{"pinned"});
}

TEST_P(HostedRaces, a_thread_that_is_deleted_meanwhile_is_not_counted) {
  make_old({"deleted", "old"});
  EXPECT_EQ(sweep_beside([&] { store_.write(DeleteThread{"deleted"}, Call()); }).swept.threads, 1U);
}

TEST_P(HostedRaces, policies_that_are_applied_meanwhile_hold) {
  make_old({"old"});
  sweep_beside([&] { apply("[]"); });
  EXPECT_EQ(threads(), Strings{"old"});
}

INSTANTIATE_TEST_SUITE_P(Stores, HostedRaces, ::testing::ValuesIn(hosted_urls()), scheme_of);

}  // namespace
}  // namespace threadkeep::retention_test
