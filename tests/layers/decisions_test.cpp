// SPDX-License-Identifier: Apache-2.0
// What layers decide, as tables: no clock, no store.
#include <gtest/gtest.h>

#include "layers/breaker.hpp"
#include "layers/outage.hpp"
#include "layers/retry.hpp"
#include "layers/try_deadline.hpp"

namespace threadkeep {
namespace {

using namespace std::chrono_literals;
using Time = Deadline::Clock::time_point;

const Time start{std::chrono::hours(1)};

Deadline at(std::chrono::milliseconds time) {
  return Deadline(start + time);
}

TEST(TryDeadline, is_the_earlier_one) {
  const TryDeadlineOptions five{5s};
  EXPECT_EQ(try_deadline(at(30s), start, five), at(5s));
  EXPECT_EQ(try_deadline(at(2s), start, five), at(2s));
  EXPECT_EQ(try_deadline(at(-1s), start, five), at(-1s)) << "passed already";
  EXPECT_EQ(try_deadline(Deadline::never(), start, five), at(5s));
  EXPECT_EQ(try_deadline(at(1s), start, {std::chrono::milliseconds::max()}), at(1s));
  EXPECT_EQ(try_deadline(Deadline::never(), start, {std::chrono::hours(24 * 365 * 293)}),
            Deadline::never());
}

TEST(TryDeadline, is_of_writes_of_one_thread) {
  EXPECT_TRUE(has_try_deadline(PutThread{"t"}));
  EXPECT_TRUE(has_try_deadline(ChangeState{StateScope::named("n"), {}}));
  EXPECT_TRUE(has_try_deadline(DeleteThread{"t"}));
  EXPECT_FALSE(has_try_deadline(DeleteRuns{{"r"}}));
  EXPECT_FALSE(has_try_deadline(CopyThread{"a", "b"}));
  EXPECT_FALSE(has_try_deadline(Prune{"t"}));
}

TEST(TryDeadline, is_not_taken_from_those_that_stand_beside_a_long_write) {
  const auto sizes = [](const std::vector<Mutation>& batch) {
    std::vector<std::size_t> counts;
    for (const auto part : parts_by_try_deadline(batch)) counts.push_back(part.size());
    return counts;
  };
  const Mutation put = PutThread{"t"};
  const Mutation prune = Prune{"t"};
  using Sizes = std::vector<std::size_t>;
  EXPECT_EQ(sizes({}), Sizes{});
  EXPECT_EQ(sizes({put, put}), Sizes{2});
  EXPECT_EQ(sizes({prune, prune}), Sizes{2});
  EXPECT_EQ(sizes({put, put, prune, put}), (Sizes{2, 1, 1}));
}

TEST(SignOfAStore, is_not_read_from_a_pool_that_is_too_small) {
  const CallTimes times{start, start, at(1s)};
  EXPECT_EQ(sign_of(Error(Code::unavailable, "", "pool_wait"), times), Sign::nothing);
  EXPECT_EQ(sign_of(Error(Code::unavailable, "", "53300"), times), Sign::fails);
  EXPECT_EQ(sign_of(Error(Code::timeout, ""), times), sign_of(Code::timeout, times));
}

struct SignRow {
  Code code;
  std::chrono::milliseconds ended;
  Deadline deadline;
  Sign expected;
};

TEST(SignOfAStore, is_read_from_the_end_of_a_call) {
  const std::vector<SignRow> rows = {
      {Code::unavailable, 0ms, at(10ms), Sign::fails},
      {Code::timeout, 5s, at(30s), Sign::fails},  // its own limit, or that of the try
      {Code::timeout, 5s, Deadline::never(), Sign::fails},
      {Code::timeout, 30s, at(30s), Sign::fails},  // a patient caller
      {Code::timeout, 1s, at(1s), Sign::fails},
      {Code::timeout, 999ms, at(999ms), Sign::nothing},  // a caller in a hurry
      {Code::timeout, 990ms, at(999ms), Sign::nothing},  // rounded
      {Code::timeout, 0ms, at(-1ms), Sign::nothing},
      {Code::outcome_unknown, 5s, at(30s), Sign::fails},
      {Code::outcome_unknown, 100ms, at(100ms), Sign::nothing},
      {Code::conflict, 0ms, at(1s), Sign::answers},
      {Code::duplicate, 0ms, at(1s), Sign::answers},
      {Code::corrupt, 0ms, at(1s), Sign::answers},
      {Code::denied, 0ms, at(1s), Sign::answers},
      {Code::no_space, 0ms, at(1s), Sign::answers},
      {Code::invalid_argument, 0ms, at(1s), Sign::nothing},
      {Code::cancelled, 0ms, at(1s), Sign::nothing},
      {Code::unsupported, 0ms, at(1s), Sign::nothing},
      {Code::internal, 0ms, at(1s), Sign::nothing},
  };
  for (const SignRow& row : rows) {
    EXPECT_EQ(sign_of(row.code, {start, start + row.ended, row.deadline}), row.expected)
        << to_string(row.code) << " after " << row.ended.count();
  }
}

class BreakerOf : public ::testing::Test {
 protected:
  using Admission = Breaker::Admission;

  // Until it opens.
  void open() {
    for (int i = 0; i < 3; ++i) breaker.failed(start, Admission::normal);
  }

  Breaker breaker{{.failures = 3, .open_for = 1s, .longest = 3s}};
};

TEST_F(BreakerOf, three_failures_opens_with_the_third) {
  EXPECT_EQ(breaker.admits(start), Admission::normal);
  EXPECT_FALSE(breaker.failed(start, Admission::normal));
  EXPECT_FALSE(breaker.failed(start, Admission::normal));
  EXPECT_TRUE(breaker.is_closed());
  EXPECT_TRUE(breaker.failed(start, Admission::normal));
  EXPECT_FALSE(breaker.is_closed());
  EXPECT_EQ(breaker.admits(start + 999ms), Admission::refused);
}

TEST_F(BreakerOf, failures_that_do_not_follow_each_other_stays_closed) {
  for (int i = 0; i < 10; ++i) {
    breaker.failed(start, Admission::normal);
    breaker.failed(start, Admission::normal);
    EXPECT_FALSE(breaker.succeeded()) << "it was closed";
  }
  EXPECT_TRUE(breaker.is_closed());
}

TEST_F(BreakerOf, an_outage_lets_one_call_through_after_a_while) {
  open();
  EXPECT_EQ(breaker.admits(start + 1s), Admission::trial);
  EXPECT_EQ(breaker.admits(start + 1s), Admission::refused) << "one is enough";
  EXPECT_TRUE(breaker.succeeded());
  EXPECT_EQ(breaker.admits(start + 1s), Admission::normal);
  EXPECT_FALSE(breaker.failed(start + 1s, Admission::normal)) << "counts from one again";
}

TEST_F(BreakerOf, a_long_outage_waits_twice_as_long_each_time_up_to_a_limit) {
  open();
  Time now = start;
  for (const auto pause : {1s, 2s, 3s, 3s}) {
    EXPECT_EQ(breaker.admits(now + pause - 1ms), Admission::refused);
    now += pause;
    EXPECT_EQ(breaker.admits(now), Admission::trial);
    EXPECT_FALSE(breaker.failed(now, Admission::trial)) << "it was open";
  }
  EXPECT_EQ(breaker.admits(now + 3s), Admission::trial);
  breaker.succeeded();
  open();
  EXPECT_EQ(breaker.admits(start + 1s), Admission::trial) << "the next outage begins anew";
}

TEST_F(BreakerOf, a_trial_without_a_sign_lets_the_next_call_try) {
  open();
  breaker.ended(Admission::normal);
  EXPECT_EQ(breaker.admits(start + 1s), Admission::trial);
  breaker.ended(Admission::normal);
  EXPECT_EQ(breaker.admits(start + 1s), Admission::refused) << "another call ended";
  breaker.ended(Admission::trial);
  EXPECT_EQ(breaker.admits(start + 1s), Admission::trial);
}

TEST_F(BreakerOf, calls_that_began_earlier_does_not_wait_longer) {
  open();
  EXPECT_FALSE(breaker.failed(start + 900ms, Admission::normal));
  EXPECT_EQ(breaker.admits(start + 1s), Admission::trial);
  EXPECT_FALSE(breaker.failed(start + 1s, Admission::normal));
  EXPECT_TRUE(breaker.succeeded()) << "the trial is still under way";
}

TEST_F(BreakerOf, a_store_that_answers_others_tries_at_once) {
  breaker.answered(start);
  EXPECT_TRUE(breaker.is_closed());
  open();
  breaker.answered(start + 10ms);
  EXPECT_FALSE(breaker.is_closed()) << "a call has to show it";
  EXPECT_EQ(breaker.admits(start + 10ms), Admission::trial);
  EXPECT_EQ(breaker.admits(start + 20ms), Admission::refused);
  breaker.answered(start + 20ms);
  EXPECT_EQ(breaker.admits(start + 20ms), Admission::trial) << "the first one is stuck";
}

TEST_F(BreakerOf, a_store_that_nobody_calls_is_closed_by_pings) {
  open();
  EXPECT_FALSE(breaker.answered(start + 10ms));
  EXPECT_FALSE(breaker.answered(start + 1009ms));
  EXPECT_TRUE(breaker.answered(start + 1010ms));
  EXPECT_TRUE(breaker.is_closed());
  open();
  EXPECT_FALSE(breaker.answered(start + 2s)) << "the next outage begins anew";
}

TEST_F(BreakerOf, a_store_that_answers_pings_alone_stays_open) {
  open();
  EXPECT_FALSE(breaker.answered(start));
  EXPECT_EQ(breaker.admits(start), Admission::trial);
  EXPECT_FALSE(breaker.answered(start + 5s)) << "the trial is under way";
  breaker.failed(start + 6s, Admission::trial);
  EXPECT_FALSE(breaker.answered(start + 6s)) << "it failed since";
  breaker.was_silent();
  EXPECT_FALSE(breaker.answered(start + 9s)) << "they do not follow each other";
  EXPECT_FALSE(breaker.is_closed());
}

TEST_F(BreakerOf, a_trial_that_never_ends_lets_another_call_try) {
  open();
  EXPECT_EQ(breaker.admits(start + 1s), Admission::trial);
  EXPECT_EQ(breaker.admits(start + 1999ms), Admission::refused);
  EXPECT_EQ(breaker.admits(start + 2s), Admission::trial);
  EXPECT_EQ(breaker.admits(start + 2s), Admission::refused);
  EXPECT_TRUE(breaker.succeeded());
}

const Error gone(Code::unavailable, "gone");

class RetryOf : public ::testing::Test {
 protected:
  std::optional<std::chrono::nanoseconds> next(unsigned tries, double random,
                                               const Error& error = gone,
                                               std::chrono::nanoseconds left = 1h) {
    policy.begin();
    return policy.next({error, tries, left}, random);
  }

  RetryPolicy policy{{.tries = 6, .first = 20ms, .longest = 100ms, .budget = 1}};
};

TEST_F(RetryOf, failed_tries_waits_at_random_up_to_twice_as_long_each_time) {
  EXPECT_EQ(next(1, 0.5), 10ms);
  EXPECT_EQ(next(2, 0.5), 20ms);
  EXPECT_EQ(next(3, 0.5), 40ms);
  EXPECT_EQ(next(4, 0.5), 50ms);
  EXPECT_EQ(next(5, 0), 0ms);
  EXPECT_EQ(next(6, 0.5), std::nullopt) << "that was the last";
}

TEST_F(RetryOf, many_tries_never_overflows) {
  RetryPolicy endless{{.tries = 100'000,
                       .first = std::chrono::hours(20'000),
                       .longest = std::chrono::hours(100'000),
                       .budget = 1}};
  EXPECT_EQ(endless.next({gone, 99'999, std::chrono::nanoseconds::max()}, 0.5),
            std::chrono::hours(50'000));
}

TEST_F(RetryOf, calls_ends_before_their_deadline) {
  EXPECT_EQ(next(1, 0.5, gone, 10ms), std::nullopt);
  EXPECT_EQ(next(1, 0.5, gone, 11ms), 10ms);
  EXPECT_EQ(next(1, 0, gone, 0ns), std::nullopt);
}

TEST_F(RetryOf, errors_is_for_those_that_may_end_otherwise) {
  for (const Code code : {Code::unavailable, Code::timeout, Code::outcome_unknown}) {
    EXPECT_TRUE(next(1, 0, Error(code, ""))) << to_string(code);
  }
  for (const Code code :
       {Code::invalid_argument, Code::conflict, Code::duplicate, Code::cancelled, Code::corrupt,
        Code::denied, Code::unsupported, Code::no_space, Code::internal}) {
    EXPECT_FALSE(next(1, 0, Error(code, ""))) << to_string(code);
  }
  EXPECT_FALSE(next(1, 0, Error(Code::unavailable, "", breaker_open)));
}

TEST(BudgetOfRetries, is_a_part_of_the_calls_of_late) {
  RetryPolicy policy{{.tries = 2, .budget = 0.25}};
  const auto retries = [&](int calls) {
    int count = 0;
    for (int i = 0; i < calls; ++i) {
      policy.begin();
      if (policy.next({gone, 1, 1h}, 0)) ++count;
    }
    return count;
  };
  EXPECT_EQ(retries(10), 10) << "what was saved up";
  EXPECT_EQ(retries(400), 102) << "a quarter, and what was left";
  for (int i = 0; i < 1000; ++i) policy.begin();
  EXPECT_EQ(retries(10), 10) << "no more is saved up";
  EXPECT_EQ(retries(8), 4);
}

TEST(BudgetOfRetries, may_be_none) {
  RetryPolicy policy{{.tries = 2, .budget = 0}};
  int count = 0;
  for (int i = 0; i < 100; ++i) {
    policy.begin();
    if (policy.next({gone, 1, 1h}, 0)) ++count;
  }
  EXPECT_EQ(count, 10) << "what every store begins with";
}

// Outcomes by letters: . done, u unavailable, ? unknown, x conflict.
std::vector<Outcome> outcomes_of(std::string_view letters) {
  std::vector<Outcome> outcomes;
  for (const char letter : letters) {
    Outcome& outcome = outcomes.emplace_back();
    if (letter == 'u') outcome.error = Error(Code::unavailable, "gone");
    if (letter == '?') outcome.error = Error(Code::outcome_unknown, "cut");
    if (letter == 'x') outcome.error = Error(Code::conflict, "other");
    if (letter == 'd') outcome.error = Error(Code::denied, "no");
  }
  return outcomes;
}

std::string letters_of(const std::vector<Outcome>& outcomes) {
  std::string letters;
  for (const Outcome& outcome : outcomes) {
    const auto& error = outcome.error;
    letters += !error                                   ? '.'
               : error->code() == Code::unavailable     ? 'u'
               : error->code() == Code::outcome_unknown ? '?'
               : error->code() == Code::conflict        ? 'x'
                                                        : 'd';
  }
  return letters;
}

// A lane for each letter; * spans threads, P pops without a name.
std::vector<Mutation> batch_of(std::string_view lanes) {
  std::vector<Mutation> batch;
  for (const char lane : lanes) {
    if (lane == '*') {
      batch.emplace_back(DeleteRuns{{"r"}});
    } else if (lane == 'P') {
      batch.emplace_back(PopMessages{"P", "", 1, ""});
    } else {
      batch.emplace_back(
          PutWrites{std::string(1, lane), "", "c", {{"task", 0, "x", "", "text", Bytes("v")}}});
    }
  }
  return batch;
}

struct BatchRow {
  std::string lanes;
  std::string outcomes;
  std::vector<std::size_t> again;
};

TEST(TriesOfABatch, go_on_with_what_failed_and_overtakes_nothing) {
  const std::vector<BatchRow> rows = {
      {"abc", "...", {}},     {"abc", "uuu", {0, 1, 2}},
      {"abc", ".u.", {1}},    {"abc", "xud", {1}},
      {"aa", "u.", {}},   // the second one was carried out
      {"aa", "ux", {0}},  // the second one is refused for good and changed nothing
      {"aa", ".u", {1}},      {"aa", "uu", {0, 1}},  // in order
      {"aa", "u?", {0, 1}},   {"aba", "uu.", {1}},
      {"aPa", "u?u", {0, 2}},  // a pop without a name is not repeated when it may have been done
      {"PP", "u?", {}},       {"P", "u", {0}},
      {"a*b", "u.u", {2}},  // what spans threads is of all lanes
      {"a*b", "uu.", {0}},    {"a*b", "xu.", {}},
      {"a*b", ".uu", {1, 2}}, {"a*b", "uud", {0, 1}},
  };
  for (const BatchRow& row : rows) {
    const auto batch = batch_of(row.lanes);
    BatchTries tries(batch);
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < batch.size(); ++i) all.push_back(i);
    tries.record(all, outcomes_of(row.outcomes));
    EXPECT_EQ(tries.again(), row.again) << row.lanes << " " << row.outcomes;
  }
}

TEST(TriesOfABatch, do_not_forget_that_an_earlier_one_may_have_been_done) {
  struct Row {
    std::string first, second, last;
  };
  for (const Row& row : std::vector<Row>{{"?", "u", "?"},
                                         {"?", ".", "."},
                                         {"?", "x", "x"},
                                         {"?", "d", "?"},
                                         {"u", "d", "d"},
                                         {"u", "?", "?"}}) {
    const auto batch = batch_of("a");
    BatchTries tries(batch);
    const std::vector<std::size_t> sent = {0};
    tries.record(sent, outcomes_of(row.first));
    EXPECT_EQ(tries.uncertain(0), row.first == "?");
    tries.record(sent, outcomes_of(row.second));
    EXPECT_EQ(letters_of(tries.take()), row.last) << row.first << row.second;
  }
}

TEST(TriesOfABatch, end_with_an_open_breaker_and_keep_what_is_unknown) {
  const auto batch = batch_of("a");
  BatchTries tries(batch);
  const std::vector<std::size_t> sent = {0};
  tries.record(sent, outcomes_of("?"));
  tries.record(sent, {{{}, Error(Code::unavailable, "left alone", breaker_open)}});
  EXPECT_TRUE(tries.again().empty());
  const auto error = tries.take().at(0).error;
  EXPECT_EQ(error->code(), Code::outcome_unknown);
  EXPECT_NE(error->message().find("left alone"), std::string::npos);
}

}  // namespace
}  // namespace threadkeep
