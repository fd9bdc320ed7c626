// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <stdexcept>

#include "recording_backend.hpp"

// Group commit for callers that block.

namespace threadkeep::testing {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

class SchedulerSync : public ::testing::Test {
 protected:
  explicit SchedulerSync(std::size_t batches = 1)
      : store_(std::make_unique<RecordingBackend>(recorder_, batches)) {}

  // A write that is on its way in a thread of its own.
  std::future<std::string> start(Mutation mutation, Call call = {}) {
    return std::async(std::launch::async, [this, mutation = std::move(mutation), call] {
      return ending(store_, mutation, call);
    });
  }
  // As start, returning once the write is inside the backend.
  std::future<std::string> start_inside(Mutation mutation, Call call = {}) {
    recorder_->hold();
    auto future = start(std::move(mutation), std::move(call));
    recorder_->wait_until_inside(1);
    return future;
  }

  std::shared_ptr<Recorder> recorder_ = std::make_shared<Recorder>();
  Store store_;
};

TEST_F(SchedulerSync, carries_out_a_lone_write_at_once) {
  const auto caller = std::this_thread::get_id();
  std::thread::id leader;
  recorder_->answer_with([&](const Mutation&) {
    leader = std::this_thread::get_id();
    return Outcome{{.changed = 7}, {}};
  });
  EXPECT_EQ(store_.write(labelled("t", "w"), Call{}).changed, 7U);
  EXPECT_EQ(leader, caller);
  EXPECT_EQ(recorder_->batches().size(), 1U);
}

TEST_F(SchedulerSync, puts_writes_that_arrive_meanwhile_into_one_batch) {
  auto first = start_inside(labelled("t", "first"));
  std::vector<std::future<std::string>> others;
  for (int i = 0; i < 15; ++i) others.push_back(start(labelled("t", std::to_string(i))));
  std::this_thread::sleep_for(100ms);  // Lets them queue up.
  recorder_->release();
  EXPECT_EQ(first.get(), "ok");
  for (auto& other : others) EXPECT_EQ(other.get(), "ok");
  EXPECT_EQ(recorder_->events().size(), 16U);
  EXPECT_LE(recorder_->batches().size(), 4U);  // 2, unless the machine is very busy.
}

TEST_F(SchedulerSync, keeps_the_order_of_each_of_16_writers_of_a_thread) {
  constexpr int writers = 16;
  constexpr int each = 100;
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (int writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < each; ++i) {
        const auto label = std::to_string(writer) + "." + std::to_string(i);
        if (ending(store_, labelled("t", label)) != "ok") ++failed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  std::map<std::string, int> next;
  for (const auto& event : recorder_->events()) {
    const auto dot = event.find('.');
    EXPECT_EQ(next[event.substr(0, dot)]++, std::stoi(event.substr(dot + 1)));
  }
  EXPECT_EQ(recorder_->events().size(), static_cast<std::size_t>(writers) * each);
}

TEST_F(SchedulerSync, gives_each_member_of_a_batch_its_own_outcome) {
  recorder_->answer_with([](const Mutation& mutation) {
    if (Recorder::label(mutation) != "bad") return Outcome{{.changed = 1}, {}};
    return Outcome{{}, Error(Code::conflict, "this one fails")};
  });
  const auto outcomes =
      store_.write_all({labelled("t", "a"), labelled("t", "bad"), labelled("t", "b")}, Call{});
  EXPECT_EQ(recorder_->batches().size(), 1U);
  EXPECT_EQ(ending(outcomes[0]), "ok");
  EXPECT_EQ(ending(outcomes[1]), "conflict");
  EXPECT_EQ(ending(outcomes[2]), "ok");
}

TEST_F(SchedulerSync, runs_what_spans_threads_alone_and_in_its_place) {
  store_.write_all({labelled("t", "1"), labelled("u", "2"), DeleteRuns{{"r"}}, labelled("t", "3"),
                    CopyThread{"t", "v"}, labelled("v", "4"), labelled("u", "5")},
                   Call{});
  const auto events = recorder_->events();
  ASSERT_EQ(events.size(), 7U);
  EXPECT_EQ(events[2], "delete_runs");
  EXPECT_EQ(events[3], "3");
  EXPECT_EQ(events[4], "copy_thread");
  for (const auto& batch : recorder_->batches()) {
    for (const auto& mutation : batch) {
      EXPECT_TRUE(!lane(mutation).empty() || batch.size() == 1);
    }
  }
}

TEST_F(SchedulerSync, turns_what_a_backend_throws_into_outcomes) {
  recorder_->answer_with(
      [](const Mutation&) -> Outcome { throw Error(Code::unavailable, "gone", "native"); });
  try {
    store_.write(labelled("t", "w"), Call{});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unavailable);
    EXPECT_EQ(error.native(), "native");
    EXPECT_EQ(error.operation(), "put_writes");
  }
}

TEST_F(SchedulerSync, lets_no_other_exception_out) {
  recorder_->answer_with([](const Mutation&) -> Outcome { throw std::runtime_error("a defect"); });
  EXPECT_EQ(ending(store_, labelled("t", "w")), "internal");
}

TEST_F(SchedulerSync, ends_a_queued_write_when_its_deadline_passes) {
  auto first = start_inside(labelled("t", "first"));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(ending(store_, labelled("t", "late"), Call{Deadline::after(50ms), {}}), "timeout");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  recorder_->release();
  EXPECT_EQ(first.get(), "ok");
  EXPECT_EQ(ending(store_, labelled("t", "next")), "ok");
  EXPECT_EQ(recorder_->events(), (Strings{"first", "next"}));
}

TEST_F(SchedulerSync, does_not_know_the_outcome_when_the_deadline_passes_under_way) {
  // The leader cannot leave the backend, but one whose write is led by another can.
  auto first = start_inside(labelled("t", "first"));
  auto led = start(labelled("t", "led"));
  std::this_thread::sleep_for(50ms);
  auto late = start(labelled("t", "late"), Call{Deadline::after(200ms), {}});
  std::this_thread::sleep_for(50ms);
  recorder_->release();
  recorder_->hold();  // Stops the second batch, led by one of the two.
  const auto ended = late.wait_for(10s);
  recorder_->release();
  ASSERT_EQ(first.get(), "ok");
  ASSERT_EQ(led.get(), "ok");
  ASSERT_EQ(ended, std::future_status::ready);
  const auto how = late.get();
  EXPECT_TRUE(how == "outcome_unknown" || how == "timeout" || how == "ok") << how;
}

TEST_F(SchedulerSync, cancels_a_queued_write) {
  auto first = start_inside(labelled("t", "first"));
  std::stop_source source;
  auto cancelled = start(labelled("t", "cancelled"), Call{Deadline(), source.get_token()});
  std::this_thread::sleep_for(50ms);
  source.request_stop();
  EXPECT_EQ(cancelled.get(), "cancelled");
  recorder_->release();
  EXPECT_EQ(first.get(), "ok");
  EXPECT_EQ(recorder_->events(), (Strings{"first"}));
}

TEST_F(SchedulerSync, bounds_a_batch_by_its_bytes) {
  std::vector<Mutation> large;
  for (int i = 0; i < 40; ++i) {
    large.push_back(labelled("t", std::to_string(i), std::string(1024 * 1024, 'x')));
  }
  for (const auto& outcome : store_.write_all(large, Call{})) EXPECT_EQ(ending(outcome), "ok");
  EXPECT_GT(recorder_->batches().size(), 1U);
  for (const auto& batch : recorder_->batches()) EXPECT_LE(batch.size(), 17U);
}

class SchedulerParallel : public SchedulerSync {
 protected:
  SchedulerParallel() : SchedulerSync(2) {}
};

TEST_F(SchedulerParallel, runs_as_many_batches_as_the_backend_takes) {
  auto first = start_inside(labelled("t", "1"));
  auto second = start(labelled("u", "2"));
  recorder_->wait_until_inside(2);
  auto third = start(labelled("v", "3"));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(recorder_->most_inside(), 2);
  recorder_->release();
  for (auto* future : {&first, &second, &third}) EXPECT_EQ(future->get(), "ok");
}

TEST_F(SchedulerParallel, never_runs_two_batches_of_one_thread) {
  auto first = start_inside(labelled("t", "1"));
  auto second = start(labelled("t", "2"));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(recorder_->most_inside(), 1);
  recorder_->release();
  EXPECT_EQ(first.get(), "ok");
  EXPECT_EQ(second.get(), "ok");
  EXPECT_EQ(recorder_->events(), (Strings{"1", "2"}));
}

}  // namespace
}  // namespace threadkeep::testing
