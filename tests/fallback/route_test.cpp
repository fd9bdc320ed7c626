// SPDX-License-Identifier: Apache-2.0
// What the fallback decides, as tables.
#include <gtest/gtest.h>

#include "layers/fallback_route.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::fallback_test {
namespace {

using testing::Draft;

Situation situation(bool waits, bool failed, Reach reach, bool holds = false,
                    bool takes_unknown = false, bool is_hollow = false) {
  return {.waits = waits,
          .failed = failed,
          .takes_unknown = takes_unknown,
          .reach = reach,
          .holds = holds,
          .is_hollow = is_hollow};
}

constexpr std::array all_needs = {Need::latest, Need::checkpoint, Need::everything, Need::primary};
constexpr std::array all_changes = {Change::first_put, Change::put,      Change::child_put,
                                    Change::writes,    Change::metadata, Change::other};
constexpr std::array all_reaches = {Reach::unknown, Reach::partial, Reach::complete};

TEST(FallbackRoute, is_the_primary_while_it_answers_and_nothing_waits) {
  for (const Reach reach : all_reaches) {
    for (const bool allow : {false, true}) {
      const auto s = situation(false, false, reach, true, allow);
      for (const Need need : all_needs) EXPECT_EQ(route_read(need, s), Route::primary);
      for (const Change change : all_changes) EXPECT_EQ(route_write(change, s), Route::primary);
    }
  }
}

struct ReadRow {
  Need need;
  Reach reach;
  bool holds;
  bool allow;
  Route route;
  bool is_hollow = false;
};

TEST(FallbackRoute, of_a_read_goes_where_all_that_it_needs_is) {
  const std::vector<ReadRow> rows = {
      {Need::latest, Reach::unknown, false, false, Route::refuse},
      {Need::latest, Reach::unknown, false, true, Route::here},
      {Need::latest, Reach::partial, true, false, Route::here},
      {Need::latest, Reach::partial, false, false, Route::refuse},
      {Need::latest, Reach::partial, false, true, Route::here},
      {Need::latest, Reach::partial, false, true, Route::refuse, true},
      {Need::latest, Reach::complete, false, false, Route::here},
      {Need::checkpoint, Reach::unknown, false, false, Route::refuse},
      {Need::checkpoint, Reach::unknown, false, true, Route::refuse},
      {Need::checkpoint, Reach::partial, true, false, Route::here},
      {Need::checkpoint, Reach::partial, false, false, Route::refuse},
      {Need::checkpoint, Reach::partial, false, true, Route::refuse},
      {Need::checkpoint, Reach::complete, false, false, Route::here},
      {Need::everything, Reach::unknown, false, false, Route::refuse},
      {Need::everything, Reach::unknown, false, true, Route::here},
      {Need::everything, Reach::partial, true, false, Route::refuse},
      {Need::everything, Reach::partial, true, true, Route::refuse},
      {Need::everything, Reach::complete, false, false, Route::here},
      {Need::primary, Reach::complete, true, true, Route::refuse},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ReadRow& row = rows[i];
    for (const bool waits : {false, true}) {
      const auto s = situation(waits, !waits, row.reach, row.holds, row.allow, row.is_hollow);
      EXPECT_EQ(route_read(row.need, s), row.route) << "row " << i;
    }
  }
}

struct WriteRow {
  Change change;
  bool allow;
  std::array<Route, 3> routes;  // by reach
};

TEST(FallbackRoute, of_a_write_goes_where_its_result_can_be_told) {
  constexpr auto here = Route::here;
  constexpr auto refuse = Route::refuse;
  const std::vector<WriteRow> rows = {
      {Change::first_put, false, {here, here, here}},
      {Change::put, false, {refuse, here, here}},
      {Change::child_put, false, {refuse, here, here}},
      {Change::writes, false, {refuse, here, here}},
      {Change::metadata, false, {refuse, here, here}},
      {Change::other, false, {refuse, refuse, here}},
      {Change::first_put, true, {here, here, here}},
      {Change::put, true, {here, here, here}},
      {Change::child_put, true, {here, here, here}},
      {Change::writes, true, {here, here, here}},
      {Change::metadata, true, {here, here, here}},
      {Change::other, true, {here, refuse, here}},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t reach = 0; reach < all_reaches.size(); ++reach) {
      const auto s = situation(false, true, all_reaches.at(reach), false, rows[i].allow);
      EXPECT_EQ(route_write(rows[i].change, s), rows[i].routes.at(reach)) << i << ", " << reach;
    }
  }
}

TEST(FallbackRoute, begins_a_thread_where_its_caller_took_it_for_new) {
  EXPECT_TRUE(begins(Change::first_put, false));
  EXPECT_FALSE(begins(Change::put, false));
  EXPECT_FALSE(begins(Change::other, false));
  EXPECT_TRUE(begins(Change::other, true));
  EXPECT_FALSE(begins(Change::child_put, true));
  EXPECT_FALSE(begins(Change::writes, true));
}

TEST(FallbackRoute, knows_what_a_mutation_does_to_a_thread) {
  EXPECT_EQ(change_of(PutCheckpoint(Draft("t", "1"))), Change::first_put);
  EXPECT_EQ(change_of(PutCheckpoint(Draft("t", "1").ns("child"))), Change::put);
  EXPECT_EQ(change_of(PutCheckpoint(Draft("t", "2").parent("1"))), Change::child_put);
  EXPECT_EQ(change_of(PutWrites{}), Change::writes);
  EXPECT_EQ(change_of(PutThread{}), Change::metadata);
  EXPECT_EQ(change_of(DeleteThread{}), Change::other);
  EXPECT_EQ(change_of(AppendMessages{}), Change::other);
  EXPECT_EQ(scope_of(ChangeState{StateScope::named("n"), {}}), StateScope::named("n"));
  EXPECT_EQ(scope_of(DeleteThread{"t"}), StateScope::of_thread("t"));
  EXPECT_FALSE(scope_of(DeleteRuns{}));
  EXPECT_FALSE(scope_of(CopyThread{"a", "b"}));
}

TEST(FallbackRoute, sets_aside_what_the_primary_refuses_and_keeps_the_rest) {
  const auto of = [](Code code, bool demanded) {
    return after_replay({{}, Error(code, "")}, demanded);
  };
  EXPECT_EQ(after_replay({}, true), Replayed::done);
  EXPECT_EQ(after_replay({{.dropped = 1}, {}}, false), Replayed::set_aside);
  EXPECT_EQ(of(Code::conflict, true), Replayed::again_without_demand);
  EXPECT_EQ(of(Code::conflict, false), Replayed::set_aside);
  for (const Code code : {Code::invalid_argument, Code::duplicate}) {
    EXPECT_EQ(of(code, true), Replayed::set_aside) << to_string(code);
  }
  for (const Code code :
       {Code::unavailable, Code::timeout, Code::cancelled, Code::outcome_unknown, Code::corrupt,
        Code::denied, Code::no_space, Code::unsupported, Code::internal}) {
    EXPECT_EQ(of(code, true), Replayed::wait) << to_string(code);
  }
}

TEST(FallbackRoute, sets_aside_all_that_builds_on_what_is_refused) {
  Descent of_put(PutCheckpoint(Draft("t", "4")));
  EXPECT_FALSE(of_put.takes(PutCheckpoint(Draft("t", "4b").parent("3"))));
  EXPECT_FALSE(of_put.takes(PutCheckpoint(Draft("t", "5").ns("child").parent("4"))));
  EXPECT_TRUE(of_put.takes(PutCheckpoint(Draft("t", "5").parent("4"))));
  EXPECT_TRUE(of_put.takes(PutCheckpoint(Draft("t", "6").parent("5"))));
  EXPECT_TRUE(of_put.takes(PutWrites{"t", "", "6", {}}));
  EXPECT_FALSE(of_put.takes(PutWrites{"t", "", "4b", {}}));
  EXPECT_FALSE(of_put.takes(AppendMessages{}));
  EXPECT_EQ(of_put.checkpoints(), (CheckpointKeys{{"", "4"}, {"", "5"}, {"", "6"}}));
  Descent of_append{AppendMessages{}};
  EXPECT_TRUE(of_append.takes(ChangeState{}));
  EXPECT_FALSE(of_append.takes(PutCheckpoint(Draft("t", "4"))));
  Descent of_delete{DeleteThread{"t"}};
  EXPECT_TRUE(of_delete.takes(PutThread{"t", "{}"}));
}

TEST(FallbackRoute, takes_over_when_the_store_fails_and_time_is_left) {
  const auto now = Deadline::Clock::now();
  const auto second = std::chrono::seconds(1);
  const CallTimes in_time{now, now + second, Deadline(now + 20 * second)};
  const CallTimes late{now, now + 21 * second, Deadline(now + 20 * second)};
  for (const Code code : {Code::unavailable, Code::timeout, Code::outcome_unknown}) {
    EXPECT_TRUE(is_outage(Error(code, "x"), in_time));
    EXPECT_FALSE(is_outage(Error(code, "x"), late));
  }
  for (const Code code : {Code::conflict, Code::denied, Code::no_space, Code::cancelled,
                          Code::invalid_argument, Code::corrupt}) {
    EXPECT_FALSE(is_outage(Error(code, "x"), in_time));
  }
  EXPECT_FALSE(
      is_outage(Error(Code::unavailable, "all connections are in use", pool_wait), in_time))
      << "its own program is busy";
}

TEST(FallbackRoute, says_why_a_call_is_refused) {
  const auto unknown = situation(false, true, Reach::unknown);
  const Error lost(Code::outcome_unknown, "connection lost");
  EXPECT_EQ(refusal("t", unknown, Error(Code::timeout, "")).code(), Code::unavailable);
  EXPECT_EQ(refusal("t", unknown, lost).code(), Code::outcome_unknown);
  EXPECT_NE(refusal("t", unknown, lost).message().find("connection lost"), std::string::npos);
  const auto waits = situation(true, false, Reach::partial);
  EXPECT_NE(refusal("t", waits, {}).message().find("being stored"), std::string::npos);
}

}  // namespace
}  // namespace threadkeep::fallback_test
