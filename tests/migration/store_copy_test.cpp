// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/store_copy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stop_token>

#include "backends_under_test.hpp"
#include "store_samples.hpp"
#include "threadkeep/retention/retention.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::migration_test {
namespace {

using migration::StoreCounts;
using migration::StoreReport;
using testing::BackendSpec;
using testing::Draft;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::pending;

class Pairs : public ::testing::TestWithParam<std::tuple<BackendSpec, BackendSpec>> {
 protected:
  const std::shared_ptr<Store> source_ = std::get<0>(GetParam()).make(source_environment());
  const std::shared_ptr<Store> target_ = std::get<1>(GetParam()).make(target_environment());
};

TEST_P(Pairs, a_copy_has_everything_and_a_second_one_does_nothing) {
  fill_all(*source_, 7);
  const StoreReport first = copy(*source_, *target_);
  EXPECT_THAT(texts(first), IsEmpty());
  EXPECT_EQ(first.seen, first.stored);
  EXPECT_EQ(first.unchanged, 0U);
  EXPECT_EQ(everything(*target_), everything(*source_));
  EXPECT_THAT(texts(verify(*source_, *target_)), IsEmpty());
  EXPECT_THAT(texts(verify(*target_, *source_)), IsEmpty());

  const StoreReport second = copy(*source_, *target_);
  EXPECT_THAT(texts(second), IsEmpty());
  EXPECT_EQ(second.seen, first.seen);
  EXPECT_EQ(second.stored, StoreCounts{});
  EXPECT_EQ(second.copied, 0U);
  EXPECT_EQ(everything(*target_), everything(*source_));
}

TEST_P(Pairs, a_worker_that_is_late_does_not_bring_back_what_was_deleted) {
  fill_all(*source_, 1, 1);
  copy(*source_, *target_);
  const PutWrites late{"gone", "", "3", {pending("task", 0, "a", "x")}};
  EXPECT_EQ(target_->write(late, patient()).dropped, 1U);
  const auto outcomes = target_->write_all({Draft("gone", "4").parent("3")}, patient());
  ASSERT_TRUE(outcomes.front().error);
  EXPECT_EQ(outcomes.front().error->code(), Code::conflict);
}

TEST_P(Pairs, what_the_source_gets_later_comes_with_the_next_copy) {
  fill_all(*source_, 3);
  copy(*source_, *target_);
  source_->write(Draft("pruned", "5").parent("3").value("a", "5", "new"), patient());
  source_->write(PutWrites{"pruned", "", "5", {pending("task", 0, "a", "x")}}, patient());
  AppendMessages append;
  append.thread_id = "talk only";
  append.messages.push_back({"m9", "user", "9", "{}"});
  source_->write(append, patient());
  source_->write(DeleteThread{"begun anew"}, patient());
  const StoreReport report = copy(*source_, *target_);
  EXPECT_EQ(
      report.stored,
      (StoreCounts{.checkpoints = 1, .blobs = 1, .writes = 1, .messages = 1, .tombstones = 1}));
  EXPECT_EQ(report.copied, 2U);
  EXPECT_THAT(texts(report), ElementsAre(HasSubstr("deleted begun anew: the source has deleted")));
  EXPECT_THAT(texts(verify(*source_, *target_)), ElementsAre("extra begun anew: the thread"));
}

// Of what is in conflict nothing changes, and all else is copied.
TEST_P(Pairs, conflicts_are_told_and_the_others_go_on) {
  fill_all(*source_, 5);
  target_->write(Draft("pruned", "3").value("a", "3", "other"), patient());
  target_->write(PutThread{"begun anew", R"({"other": 1})"}, patient());
  target_->write(
      ChangeState{StateScope::named("user:7"), {{"name", StateChange::Kind::put, "\"Eve\"", {}}}},
      patient());
  const StoreReport report = copy(*source_, *target_);
  EXPECT_THAT(texts(report),
              ::testing::UnorderedElementsAre(HasSubstr("conflict pruned: "),
                                              HasSubstr("conflict begun anew: the metadata"),
                                              HasSubstr("conflict user:7: document 'name'")));
  EXPECT_EQ(report.failed, 3U);
  const auto kept = target_->get({"pruned", "", "3", {}}, patient());
  EXPECT_EQ(kept->values.front().data, Bytes("other"));
  EXPECT_EQ(target_->state({StateScope::named("user:7"), "name"}, patient())->value, "\"Eve\"");
  EXPECT_TRUE(target_->state({StateScope::named("user:7"), "last seen"}, patient()));
  for (const auto& problem : verify(*source_, *target_).problems) {
    EXPECT_THAT((std::set<std::string>{"pruned", "begun anew", ""}),
                ::testing::Contains(problem.thread_id));
  }
}

TEST_P(Pairs, a_thread_that_went_on_in_the_target_is_left_alone) {
  fill_all(*source_, 5, 2);
  copy(*source_, *target_);
  target_->write(Draft("pruned", "4").parent("3").value("a", "4", "newer"), patient());
  const auto before = everything(*target_);
  const StoreReport report = copy(*source_, *target_);
  EXPECT_THAT(texts(report), IsEmpty());
  EXPECT_EQ(report.stored, StoreCounts{});
  EXPECT_EQ(everything(*target_), before);
  EXPECT_EQ(target_->thread({"pruned"}, patient())->updated_at, target_time);
}

TEST_P(Pairs, what_the_target_has_deleted_stays_deleted) {
  fill_all(*source_, 5, 2);
  copy(*source_, *target_);
  target_->write(DeleteThread{"pruned"}, patient());
  target_->write(DeleteThread{"begun anew"}, patient());
  const StoreReport report = copy(*source_, *target_);
  EXPECT_THAT(texts(report), ElementsAre(HasSubstr("deleted begun anew: the target has deleted"),
                                         HasSubstr("deleted pruned: the target has deleted")));
}

std::string name_of_pair(
    const ::testing::TestParamInfo<std::tuple<BackendSpec, BackendSpec>>& info) {
  return std::get<0>(info.param).name + "_to_" + std::get<1>(info.param).name;
}

INSTANTIATE_TEST_SUITE_P(Backends, Pairs,
                         ::testing::Combine(::testing::ValuesIn(testing::built_backends()),
                                            ::testing::ValuesIn(testing::built_backends())),
                         name_of_pair);

class Each : public ::testing::TestWithParam<BackendSpec> {
 protected:
  const std::shared_ptr<Store> source_ = GetParam().make(source_environment());
  const std::shared_ptr<Store> target_ = GetParam().make(target_environment());
};

TEST_P(Each, counts_are_those_of_a_copy_and_a_dry_run_writes_nothing) {
  fill_all(*source_, 11);
  migration::StoreCopyOptions options;
  options.dry_run = true;
  const auto before = everything(*target_);
  const StoreReport rehearsal = copy(*source_, *target_, options);
  EXPECT_EQ(everything(*target_), before);
  const StoreReport report = copy(*source_, *target_);
  EXPECT_EQ(rehearsal.stored, report.stored);
  const StoreCounts counts = migration::count_store(*source_, patient());
  EXPECT_EQ(counts.threads, report.seen.threads);
  EXPECT_EQ(counts.checkpoints, report.seen.checkpoints);
  EXPECT_EQ(counts.messages, report.seen.messages);
}

TEST_P(Each, verification_finds_what_is_missing_different_and_extra) {
  fill_all(*source_, 13, 3);
  copy(*source_, *target_);
  target_->write(RemoveMessages{"talk only", {"m5"}}, patient());
  target_->write(PutThread{"pruned", R"({"x": 1})"}, patient());
  target_->write(Draft("new", "1"), patient());
  target_->write(PutWrites{"loose", "", "1", {pending("task", 0, "a", "x")}}, patient());
  target_->write(DeleteThread{"begun anew"}, patient());
  target_->write(ChangeState{StateScope::named("extra"), {{"k", StateChange::Kind::put, "1", {}}}},
                 patient());
  target_->write(
      ChangeState{StateScope::named("user:7"), {{"name", StateChange::Kind::erase, "", {}}}},
      patient());
  retention::open_retention(*target_)->unpin("pruned", patient());
  const StoreReport report = verify(*source_, *target_);
  EXPECT_EQ(report.problem_count, report.problems.size());
  EXPECT_THAT(texts(report), ::testing::IsSupersetOf(
                                 {"missing talk only: message 'm5'",
                                  "different pruned: the metadata of the thread",
                                  "extra new: the thread", "extra loose: the thread",
                                  "missing begun anew: the thread", "extra extra: document 'k'",
                                  "missing user:7: document 'name'", "missing pruned: the pin"}));
}

TEST_P(Each, a_copy_ends_when_it_is_told_to_and_goes_on_later) {
  fill_all(*source_, 17);
  std::stop_source stop;
  migration::StoreCopyOptions options;
  int steps = 0;
  options.progress = [&](const auto&) {
    if (++steps == 3) stop.request_stop();
  };
  try {
    migration::copy_store(*source_, *target_, options,
                          {.deadline = Deadline::never(), .stop = stop.get_token()});
    ADD_FAILURE() << "it was to stop";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::cancelled);
  }
  EXPECT_EQ(steps, 3);
  EXPECT_THAT(texts(copy(*source_, *target_)), IsEmpty());
  EXPECT_EQ(everything(*target_), everything(*source_));
}

TEST_P(Each, a_thread_that_takes_too_long_is_named) {
  source_->write(Draft("slow", "1"), patient());
  migration::StoreCopyOptions options;
  options.thread_timeout = std::chrono::nanoseconds(1);
  try {
    copy(*source_, *target_, options);
    // Stores without a server look at no clock.
    EXPECT_EQ(GetParam().name, "memory");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::timeout);
    EXPECT_THAT(error.message(), HasSubstr("thread 'slow'"));
  }
}

TEST_P(Each, more_threads_than_a_page_has) {
  std::vector<Mutation> batch;
  for (int i = 0; i < 450; ++i) {
    const std::string number = std::to_string(i);
    batch.emplace_back(Draft("t" + number, "1").value("a", "1", number));
    batch.emplace_back(PutWrites{"w" + number, "", "1", {pending("task", 0, "a", number)}});
    batch.emplace_back(
        ChangeState{StateScope::named("s" + number), {{"k", StateChange::Kind::put, number, {}}}});
  }
  for (const auto& outcome : source_->write_all(batch, patient())) ASSERT_FALSE(outcome.error);
  const StoreReport report = copy(*source_, *target_);
  EXPECT_THAT(texts(report), IsEmpty());
  EXPECT_EQ(report.stored,
            (StoreCounts{
                .threads = 450, .checkpoints = 450, .blobs = 450, .writes = 450, .scopes = 450}));
  EXPECT_THAT(texts(verify(*source_, *target_)), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Backends, Each, ::testing::ValuesIn(testing::built_backends()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace threadkeep::migration_test
