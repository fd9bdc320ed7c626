// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>

#include "metric_values.hpp"
#include "recording_backend.hpp"

// Group commit and the order of calls for callers that do not block.

namespace threadkeep::testing {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

class SchedulerAsync : public ::testing::Test {
 protected:
  // Holds the backend with a first write inside; what follows queues up.
  std::future<Outcome> hold_with_first() {
    recorder_->hold();
    auto first = submit(*store_, labelled("t", "first"));
    recorder_->wait_until_inside(1);
    return first;
  }
  void open(StoreOptions options, std::size_t batches = 1) {
    options.metrics = metrics_;
    store_ = std::make_unique<Store>(std::make_unique<RecordingBackend>(recorder_, batches),
                                     std::move(options));
  }
  double counted(const std::string& name) const {
    return value_of(*metrics_, "threadkeep_queue_" + name, {{"backend", "recording"}});
  }

  std::shared_ptr<Metrics> metrics_ = std::make_shared<Metrics>();
  std::shared_ptr<Recorder> recorder_ = std::make_shared<Recorder>();
  std::unique_ptr<Store> store_ =
      std::make_unique<Store>(std::make_unique<RecordingBackend>(recorder_));
};

TEST_F(SchedulerAsync, puts_what_is_queued_into_one_batch) {
  auto first = hold_with_first();
  std::vector<std::future<Outcome>> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(submit(*store_, labelled("t" + std::to_string(i % 3), std::to_string(i))));
  }
  recorder_->release();
  EXPECT_EQ(ending(first), "ok");
  for (auto& other : others) EXPECT_EQ(ending(other), "ok");
  ASSERT_EQ(recorder_->batches().size(), 2U);
  EXPECT_EQ(recorder_->batches()[1].size(), 20U);
}

TEST_F(SchedulerAsync, keeps_the_order_of_a_thread) {
  open({.async_threads = 4}, 4);
  std::vector<std::future<Outcome>> futures;
  for (int i = 0; i < 2000; ++i) {
    const auto thread_id = "t" + std::to_string(i % 5);
    futures.push_back(submit(*store_, labelled(thread_id, thread_id + "." + std::to_string(i))));
  }
  for (auto& future : futures) EXPECT_EQ(ending(future), "ok");
  std::map<std::string, int> last;
  for (const auto& event : recorder_->events()) {
    const auto number = std::stoi(event.substr(event.find('.') + 1));
    auto& before = last.try_emplace(event.substr(0, 2), -1).first->second;
    EXPECT_LT(before, number);
    before = number;
  }
}

TEST_F(SchedulerAsync, keeps_reads_in_the_order_of_their_thread) {
  open({.async_threads = 4});
  auto first = hold_with_first();
  auto before = submit(*store_, labelled("t", "before"));
  auto read = submit_read(*store_, "t", "t");
  auto after = submit(*store_, labelled("t", "after"));
  recorder_->release();
  EXPECT_EQ(ending(after), "ok");
  EXPECT_EQ(recorder_->events(), (Strings{"first", "before", "get t", "after"}));
  EXPECT_EQ(ending(read), "ok");
}

TEST_F(SchedulerAsync, lets_reads_without_thread_and_of_others_pass) {
  auto first = hold_with_first();
  auto of_none = submit_read(*store_, "", "anything");
  auto of_other = submit_read(*store_, "u", "u");
  EXPECT_EQ(ending(of_none), "ok");
  EXPECT_EQ(ending(of_other), "ok");
  recorder_->release();
  EXPECT_EQ(ending(first), "ok");
}

TEST_F(SchedulerAsync, runs_what_spans_threads_after_all_earlier_and_before_all_later) {
  open({.async_threads = 4}, 4);
  recorder_->hold();
  auto t = submit(*store_, labelled("t", "t1"));
  recorder_->wait_until_inside(1);
  auto u = submit(*store_, labelled("u", "u1"));
  recorder_->wait_until_inside(2);
  auto barrier = submit(*store_, DeleteRuns{{"r"}});
  auto later_write = submit(*store_, labelled("v", "v1"));
  auto later_read = submit_read(*store_, "w", "w");
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(recorder_->events(), Strings{});
  recorder_->release();
  for (auto* future : {&t, &u, &barrier, &later_write}) EXPECT_EQ(ending(*future), "ok");
  EXPECT_EQ(ending(later_read), "ok");
  const auto events = recorder_->events();
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[2], "delete_runs");
}

TEST_F(SchedulerAsync, refuses_at_once_when_the_queue_is_full) {
  open({.async_threads = 1, .async_queue = 3});
  auto first = hold_with_first();
  std::vector<std::future<Outcome>> queued;
  for (int i = 0; i < 3; ++i) queued.push_back(submit(*store_, labelled("t", std::to_string(i))));
  auto refused = submit(*store_, labelled("t", "refused"));
  ASSERT_EQ(refused.wait_for(0s), std::future_status::ready);
  const auto outcome = refused.get();
  EXPECT_EQ(ending(outcome), "unavailable");
  EXPECT_TRUE(outcome.error->retry_safe());
  EXPECT_NE(std::string(outcome.error->what()).find("queue"), std::string::npos);
  auto refused_read = submit_read(*store_, "t", "t");
  EXPECT_EQ(refused_read.wait_for(0s), std::future_status::ready);
  EXPECT_EQ(ending(refused_read), "unavailable");
  recorder_->release();
  for (auto& future : queued) EXPECT_EQ(ending(future), "ok");
  auto again = submit(*store_, labelled("t", "again"));
  EXPECT_EQ(ending(again), "ok");
  EXPECT_EQ(recorder_->events(), (Strings{"first", "0", "1", "2", "again"}));
}

TEST_F(SchedulerAsync, counts_what_waits_what_waited_and_what_is_refused) {
  open({.async_threads = 1, .async_queue = 3});
  auto first = hold_with_first();
  EXPECT_EQ(counted("depth"), 0);
  EXPECT_EQ(counted("wait_seconds"), 1);
  auto write = submit(*store_, labelled("t", "write"));
  auto read = submit_read(*store_, "t", "t");
  std::stop_source source;
  auto cancelled = submit(*store_, labelled("t", "cancelled"), {Deadline(), source.get_token()});
  EXPECT_EQ(counted("depth"), 3);
  EXPECT_EQ(counted("refused_total"), 0);
  EXPECT_EQ(submit(*store_, labelled("t", "refused")).get().error->code(), Code::unavailable);
  EXPECT_EQ(counted("refused_total"), 1);
  source.request_stop();
  EXPECT_EQ(ending(cancelled), "cancelled");
  EXPECT_EQ(counted("depth"), 2);
  recorder_->release();
  EXPECT_EQ(ending(write), "ok");
  EXPECT_EQ(ending(read), "ok");
  EXPECT_EQ(counted("depth"), 0);
  EXPECT_EQ(counted("wait_seconds"), 4);
  EXPECT_EQ(counted("refused_total"), 1);
}

TEST_F(SchedulerAsync, gives_room_back_when_queued_calls_end_early) {
  open({.async_threads = 1, .async_queue = 2});
  auto first = hold_with_first();
  std::stop_source source;
  const Call stoppable{Deadline(), source.get_token()};
  auto write = submit(*store_, labelled("t", "w"), stoppable);
  auto read = submit_read(*store_, "t", "t", stoppable);
  source.request_stop();
  EXPECT_EQ(ending(write), "cancelled");
  EXPECT_EQ(ending(read), "cancelled");
  auto next = submit(*store_, labelled("t", "next"));
  auto one_more = submit(*store_, labelled("t", "one more"));
  recorder_->release();
  EXPECT_EQ(ending(next), "ok");
  EXPECT_EQ(ending(one_more), "ok");
}

TEST_F(SchedulerAsync, ends_a_queued_call_when_its_deadline_passes) {
  auto first = hold_with_first();
  const Call hasty{Deadline::after(50ms), {}};
  auto write = submit(*store_, labelled("t", "late"), hasty);
  auto read = submit_read(*store_, "t", "late", hasty);
  auto barrier = submit(*store_, DeleteRuns{{"r"}}, hasty);
  EXPECT_EQ(ending(write), "timeout");
  EXPECT_EQ(ending(read), "timeout");
  EXPECT_EQ(ending(barrier), "timeout");
  auto next = submit(*store_, labelled("u", "next"));
  recorder_->release();
  EXPECT_EQ(ending(first), "ok");
  EXPECT_EQ(ending(next), "ok");
  EXPECT_EQ(recorder_->events(), (Strings{"first", "next"}));
}

TEST_F(SchedulerAsync, does_not_know_the_outcome_when_the_deadline_passes_under_way) {
  recorder_->hold();
  auto write = submit(*store_, labelled("t", "w"), Call{Deadline::after(50ms), {}});
  EXPECT_EQ(ending(write), "outcome_unknown");
  recorder_->release();
}

TEST_F(SchedulerAsync, takes_the_backends_word_within_the_grace_after_the_deadline) {
  recorder_->hold();
  recorder_->obey_deadlines();
  auto write = submit(*store_, labelled("t", "w"), Call{Deadline::after(50ms), {}});
  EXPECT_EQ(ending(write), "timeout");
  recorder_->release();
}

TEST_F(SchedulerAsync, keeps_the_deadline_of_what_was_cancelled_too_late) {
  recorder_->hold();
  std::stop_source source;
  auto write =
      submit(*store_, labelled("t", "w"), Call{Deadline::after(200ms), source.get_token()});
  recorder_->wait_until_inside(1);
  source.request_stop();
  EXPECT_EQ(ending(write), "outcome_unknown");
  recorder_->release();
}

TEST_F(SchedulerAsync, cancels_what_is_queued_and_not_what_is_under_way) {
  std::stop_source source;
  const Call stoppable{Deadline(), source.get_token()};
  recorder_->hold();
  auto under_way = submit(*store_, labelled("t", "under way"), stoppable);
  recorder_->wait_until_inside(1);
  auto queued = submit(*store_, labelled("t", "queued"), stoppable);
  source.request_stop();
  EXPECT_EQ(ending(queued), "cancelled");
  recorder_->release();
  EXPECT_EQ(ending(under_way), "ok");
  EXPECT_EQ(recorder_->events(), Strings{"under way"});
}

TEST_F(SchedulerAsync, does_not_let_one_short_deadline_end_a_batch_for_all) {
  recorder_->obey_deadlines();
  recorder_->hold();
  auto first = submit(*store_, labelled("t", "first"), Call{Deadline::after(200ms), {}});
  recorder_->wait_until_inside(1);
  auto hasty = submit(*store_, labelled("u", "hasty"), Call{Deadline::after(400ms), {}});
  auto patient = submit(*store_, labelled("v", "patient"));
  EXPECT_NE(ending(first), "ok");
  EXPECT_NE(ending(hasty), "ok");
  recorder_->release();
  EXPECT_EQ(ending(patient), "ok");
  const auto events = recorder_->events();  // "hasty" may have come just in time.
  EXPECT_EQ(std::count(events.begin(), events.end(), "patient"), 1);
}

TEST_F(SchedulerAsync, makes_batches_smaller_when_an_early_deadline_ends_one_for_all) {
  recorder_->hold();
  recorder_->obey_deadlines();
  auto first = submit(*store_, labelled("t", "first"), Call{Deadline::after(50ms), {}});
  recorder_->wait_until_inside(1);
  std::vector<std::future<Outcome>> patient;
  for (int i = 0; i < 8; ++i) patient.push_back(submit(*store_, labelled(std::to_string(i), "w")));
  auto hasty = submit(*store_, labelled("hasty", "h"), Call{Deadline::after(300ms), {}});
  EXPECT_EQ(ending(first), "timeout");
  EXPECT_EQ(ending(hasty), "timeout");
  recorder_->release();
  for (auto& write : patient) EXPECT_EQ(ending(write), "ok");
  EXPECT_LE(recorder_->batches().front().size(), 4U);
}

TEST_F(SchedulerAsync, sends_again_what_an_early_deadline_of_another_left_unknown) {
  recorder_->hold();
  recorder_->obey_deadlines(Code::outcome_unknown);
  auto first = submit(*store_, labelled("t", "first"), Call{Deadline::after(50ms), {}});
  recorder_->wait_until_inside(1);
  auto hasty = submit(*store_, labelled("u", "hasty"), Call{Deadline::after(300ms), {}});
  auto patient = submit(*store_, labelled("v", "patient"));
  EXPECT_EQ(ending(first), "outcome_unknown");
  EXPECT_EQ(ending(hasty), "outcome_unknown");
  recorder_->release();
  EXPECT_EQ(ending(patient), "ok");
}

// The first copy may be carried out after what follows: nobody must be told that it is over.
TEST_F(SchedulerAsync, does_not_send_again_what_could_undo_a_later_call) {
  recorder_->hold();
  recorder_->obey_deadlines(Code::outcome_unknown);
  auto first = submit(*store_, labelled("t", "first"), Call{Deadline::after(50ms), {}});
  recorder_->wait_until_inside(1);
  auto hasty = submit(*store_, labelled("u", "hasty"), Call{Deadline::after(300ms), {}});
  auto metadata = submit(*store_, PutThread{"v", R"({"a": 1})"});
  auto deletion = submit(*store_, DeleteThread{"w"});
  EXPECT_EQ(ending(first), "outcome_unknown");
  EXPECT_EQ(ending(hasty), "outcome_unknown");
  recorder_->release();
  EXPECT_EQ(ending(metadata), "outcome_unknown");
  EXPECT_EQ(ending(deletion), "outcome_unknown");
}

TEST_F(SchedulerAsync, queues_again_what_stood_before_a_hasty_call_of_its_own_thread) {
  recorder_->hold();
  recorder_->obey_deadlines();
  auto first = submit(*store_, labelled("t", "first"), Call{Deadline::after(50ms), {}});
  recorder_->wait_until_inside(1);
  auto patient = submit(*store_, labelled("u", "patient"));
  auto hasty = submit(*store_, labelled("u", "hasty"), Call{Deadline::after(300ms), {}});
  EXPECT_EQ(ending(first), "timeout");
  EXPECT_EQ(ending(hasty), "timeout");
  recorder_->release();
  EXPECT_EQ(ending(patient), "ok");
}

TEST_F(SchedulerAsync, does_not_claim_that_nothing_was_done_of_what_was_sent_before) {
  recorder_->hold();
  recorder_->obey_deadlines(Code::outcome_unknown);
  auto first = submit(*store_, labelled("t", "first"), Call{Deadline::after(50ms), {}});
  recorder_->wait_until_inside(1);
  auto hasty = submit(*store_, labelled("u", "hasty"), Call{Deadline::after(200ms), {}});
  auto patient = submit(*store_, labelled("v", "patient"), Call{Deadline::after(600ms), {}});
  EXPECT_EQ(ending(hasty), "outcome_unknown");
  recorder_->obey_deadlines(Code::timeout);
  EXPECT_EQ(ending(patient), "outcome_unknown");
  recorder_->release();
}

// Keeps a worker of the store until it is let go.
class LongRead final : public ReadTask {
 public:
  LongRead(std::promise<void>& begun, std::shared_future<void> end)
      : begun_(begun), end_(std::move(end)) {}
  void run(Store&) noexcept override {
    begun_.set_value();
    end_.wait();
  }
  void refuse(Error) noexcept override {}

 private:
  std::promise<void>& begun_;
  std::shared_future<void> end_;
};

TEST_F(SchedulerAsync, lets_a_blocking_caller_lead_while_all_workers_read) {
  open({.async_threads = 1});
  std::promise<void> begun;
  std::promise<void> end;
  store_->submit("", Call{}, std::make_unique<LongRead>(begun, end.get_future().share()));
  begun.get_future().wait();
  recorder_->hold();
  const auto write = [this](const char* thread) {
    return std::async(std::launch::async, [this, thread] {
      return ending(*store_, labelled(thread, thread), Call{Deadline::after(5s), {}});
    });
  };
  auto leader = write("leader");
  recorder_->wait_until_inside(1);
  auto queued_async = submit(*store_, labelled("async", "async"));
  std::this_thread::sleep_for(50ms);
  auto blocking = write("blocking");
  std::this_thread::sleep_for(50ms);
  recorder_->release();
  EXPECT_EQ(leader.get(), "ok");
  EXPECT_EQ(blocking.get(), "ok");
  EXPECT_EQ(ending(queued_async), "ok");
  end.set_value();
}

TEST_F(SchedulerAsync, waits_for_calls_under_way_and_refuses_the_others_when_closed) {
  auto first = hold_with_first();
  auto queued = submit(*store_, labelled("t", "queued"));
  auto read = submit_read(*store_, "t", "t");
  auto barrier = submit(*store_, DeleteRuns{{"r"}});
  auto behind = submit(*store_, labelled("u", "behind"));
  std::thread closer([&] { store_.reset(); });
  EXPECT_EQ(ending(queued), "cancelled");
  EXPECT_EQ(ending(read), "cancelled");
  EXPECT_EQ(ending(barrier), "cancelled");
  EXPECT_EQ(ending(behind), "cancelled");
  EXPECT_EQ(first.wait_for(0s), std::future_status::timeout);
  recorder_->release();
  closer.join();
  EXPECT_EQ(ending(first), "ok");
  EXPECT_EQ(recorder_->events(), Strings{"first"});
}

// Closes the store when it is done, and returns once `refused` has ended.
class ClosingWrite final : public WriteTask {
 public:
  ClosingWrite(std::function<void()> close, std::shared_future<Outcome>& refused)
      : close_(std::move(close)), refused_(refused) {}

  void done(Outcome) noexcept override {
    closer_.set_value(std::thread(close_));
    refused_.wait();
  }

  std::future<std::thread> closer() { return closer_.get_future(); }

 private:
  std::function<void()> close_;
  std::shared_future<Outcome>& refused_;
  std::promise<std::thread> closer_;
};

// Between the end of one batch and the next, when what spans threads is the next.
TEST_F(SchedulerAsync, ends_what_spans_threads_once_when_it_is_closed_just_before) {
  open({.async_threads = 1});
  recorder_->hold();
  std::shared_future<Outcome> barrier;
  auto closing = std::make_unique<ClosingWrite>([&] { store_.reset(); }, barrier);
  auto closer = closing->closer();
  store_->submit(labelled("t", "first"), Call{}, std::move(closing));
  recorder_->wait_until_inside(1);
  barrier = submit(*store_, DeleteRuns{{"r"}}).share();
  recorder_->release();
  EXPECT_EQ(ending(barrier.get()), "cancelled");
  closer.get().join();
  EXPECT_EQ(recorder_->events(), Strings{"first"});
}

// Every call ends once, whatever ends it; a second end would throw inside a noexcept function.
TEST_F(SchedulerAsync, ends_every_call_once_when_it_is_closed_at_any_moment) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    open({.async_threads = 1 + random() % 3, .async_queue = 50}, 1 + random() % 2);
    std::stop_source source;
    std::vector<std::future<Outcome>> writes;
    std::vector<std::future<std::optional<Error>>> reads;
    for (int i = 0; i < 60; ++i) {
      const Call call{Deadline::after(std::chrono::microseconds(random() % 2000)),
                      source.get_token()};
      const auto thread_id = "t" + std::to_string(random() % 3);
      switch (random() % 5) {
        case 0:
          reads.push_back(submit_read(*store_, thread_id, thread_id, call));
          break;
        case 1:
          writes.push_back(submit(*store_, DeleteRuns{{"r"}}, call));
          break;
        case 2:
          writes.push_back(submit(*store_, labelled(thread_id, "never")));
          break;
        default:
          writes.push_back(submit(*store_, labelled(thread_id, "w"), call));
      }
      if (random() % 100 == 0) source.request_stop();
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 500));
    store_.reset();
    for (auto& write : writes) ASSERT_NE(ending(write), "no end");
    for (auto& read : reads) ASSERT_NE(ending(read), "no end");
    ASSERT_EQ(counted("depth"), 0);
  }
}

TEST_F(SchedulerAsync, mixes_with_callers_that_block) {
  std::atomic<int> failed = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 200; ++i) {
        const auto thread_id = "t" + std::to_string(caller % 2);
        Mutation mutation = labelled(thread_id, "w");
        if (i % 20 == 0) mutation = CopyThread{"t0", "t1"};
        if (ending(*store_, std::move(mutation)) != "ok") ++failed;
      }
    });
  }
  std::vector<std::future<Outcome>> futures;
  for (int i = 0; i < 500; ++i) futures.push_back(submit(*store_, labelled("t1", "async")));
  for (auto& future : futures) EXPECT_EQ(ending(future), "ok");
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(recorder_->events().size(), 1300U);
}

}  // namespace
}  // namespace threadkeep::testing
