// SPDX-License-Identifier: Apache-2.0
// What a copy does with expiry and orders beyond what all pairs of stores share.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "backends_under_test.hpp"
#include "migration/tier/store_contents.hpp"
#include "store_samples.hpp"
#include "threadkeep/retention/retention.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/redis_server.hpp"

namespace threadkeep::migration_test {
namespace {

using testing::BackendSpec;
using testing::Draft;

class Orders : public ::testing::TestWithParam<BackendSpec> {
 protected:
  const std::shared_ptr<Store> source_ = GetParam().make(source_environment());
  const std::shared_ptr<Store> target_ = GetParam().make(target_environment());
};

TEST_P(Orders, another_time_in_the_target_is_a_conflict) {
  source_->write(Draft("a", "1"), patient());
  const auto of_source = retention::open_retention(*source_);
  const auto of_target = retention::open_retention(*target_);
  of_source->install(patient());
  of_target->install(patient());
  of_source->expire("a", 4'000'000'000'000'000, patient());
  of_target->expire("a", 3'900'000'000'000'000, patient());
  expect_problems(copy(*source_, *target_), {"conflict a: the thread has another time"});
  EXPECT_FALSE(target_->thread({"a"}, patient()));
  EXPECT_EQ(migration::StoreContents(*target_, migration::StoreContents::Side::target)
                .notes({{"a", {}}}, patient())
                .front()
                .expires_at,
            3'900'000'000'000'000);
}

TEST_P(Orders, other_policies_in_the_target_are_a_conflict_and_stay) {
  const auto of_source = retention::open_retention(*source_);
  const auto of_target = retention::open_retention(*target_);
  of_source->install(patient());
  of_target->install(patient());
  const auto ours = retention::policies_from_json(R"([{"name": "a", "idle": "10d"}])");
  const auto theirs = retention::policies_from_json(R"([{"name": "b", "idle": "20d"}])");
  of_source->apply(ours, patient());
  of_target->apply(theirs, patient());
  expect_problems(copy(*source_, *target_), {"conflict : the target has other policies"});
  EXPECT_EQ(retention::to_json(of_target->policies(patient())), retention::to_json(theirs));
}

TEST_P(Orders, an_archive_that_is_required_is_required_in_the_target) {
  const auto of_source = retention::open_retention(*source_);
  of_source->install(patient());
  of_source->require_archive(true, patient());
  expect_problems(copy(*source_, *target_), {});
  EXPECT_TRUE(retention::open_retention(*target_)->archive_required(patient()));
  expect_problems(verify(*source_, *target_), {});
}

INSTANTIATE_TEST_SUITE_P(Backends, Orders, ::testing::ValuesIn(testing::built_backends()),
                         [](const auto& of) { return of.param.name; });

#ifdef THREADKEEP_TEST_REDIS

std::string redis_url(const std::string& more) {
  static int stores = 0;
  return testing::RedisServer::shared().url("prefix=expiry" + std::to_string(++stores) + more);
}

ThreadNotes notes_of(Store& store, const std::string& thread_id) {
  return migration::StoreContents(store, migration::StoreContents::Side::target)
      .notes({{thread_id, {}}}, patient())
      .front();
}

class Deadlines : public ::testing::TestWithParam<BackendSpec> {};

// From a server whose threads expire to any store, and back to a server without a ttl.
TEST_P(Deadlines, become_times_of_the_threads_and_stay_what_they_are) {
  const auto source = open(redis_url("&ttl=30d"));
  source->write(Draft("a", "1").value("a", "1", "x"), patient());
  const auto deadline = notes_of(*source, "a").deadline;
  ASSERT_TRUE(deadline);
  const auto target = GetParam().make(target_environment());
  expect_problems(copy(*source, *target), {});
  const ThreadNotes there = notes_of(*target, "a");
  EXPECT_EQ(there.expires_at ? there.expires_at : there.deadline, deadline);
  EXPECT_EQ(there.expires_at.has_value(), GetParam().name != "redis");
  expect_problems(verify(*source, *target), {});
  EXPECT_EQ(copy(*source, *target).stored, migration::StoreCounts{});

  const auto back = open(redis_url(""));
  expect_problems(copy(*target, *back), {});
  const ThreadNotes again = notes_of(*back, "a");
  EXPECT_EQ(again.expires_at ? again.expires_at : again.deadline, deadline);
  expect_problems(verify(*target, *back), {});
}

// The source moved on because the thread was used.
TEST_P(Deadlines, that_moved_are_moved_by_the_next_copy_and_never_back) {
  const auto url = redis_url("");
  const auto target = GetParam().make(target_environment());
  const auto early = open(url + "&ttl=10d");
  early->write(Draft("a", "1"), patient());
  copy(*early, *target);
  const auto first = notes_of(*early, "a").deadline;
  const auto late = open(url + "&ttl=30d");
  late->write(Draft("a", "2").parent("1"), patient());
  expect_problems(copy(*late, *target), {});
  const ThreadNotes there = notes_of(*target, "a");
  const auto moved = there.expires_at ? there.expires_at : there.deadline;
  EXPECT_EQ(moved, notes_of(*late, "a").deadline);
  EXPECT_GT(moved, first);
}

INSTANTIATE_TEST_SUITE_P(Backends, Deadlines, ::testing::ValuesIn(testing::built_backends()),
                         [](const auto& of) { return of.param.name; });

TEST(RedisCopies, of_a_prefix_with_signs_of_patterns_take_no_keys_of_others) {
  const auto mine = open(testing::RedisServer::shared().url("prefix=p%2A"));
  const auto other = open(testing::RedisServer::shared().url("prefix=px"));
  const auto put = [](Store& store, const std::string& name) {
    store.write(ChangeState{StateScope::named(name), {{"k", StateChange::Kind::put, "1", {}}}},
                patient());
    store.write(PutWrites{name, "", "1", {testing::pending("task", 0, "a", "x")}}, patient());
  };
  put(*mine, "mine");
  put(*other, "other");
  const auto target = open("memory:");
  const auto report = copy(*mine, *target);
  EXPECT_EQ(report.stored, (migration::StoreCounts{.writes = 1, .scopes = 1}));
  EXPECT_TRUE(target->state({StateScope::named("mine"), "k"}, patient()));
}

#endif

}  // namespace
}  // namespace threadkeep::migration_test
