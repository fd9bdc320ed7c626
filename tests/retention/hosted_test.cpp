// SPDX-License-Identifier: Apache-2.0
// Retention that the program carries out, on every store that lets it.
#include <functional>
#include <stop_token>

#include "hosted_fixture.hpp"

namespace threadkeep::retention_test {
namespace {

using namespace retention;
using Strings = std::vector<std::string>;

class HostedRetention : public Hosted {
 protected:
  // A sweep that ends as a process does that is killed: after its first batch.
  void kill_sweep(std::uint32_t batch) {
    struct Killed {};
    SweepOptions options;
    options.batch_size = batch;
    options.progress = [](const Swept&) { throw Killed(); };
    EXPECT_THROW(retention_->sweep(options, Call()), Killed);
  }
};

TEST_P(HostedRetention, takes_threads_that_were_idle_for_too_long) {
  put_line("old", 3);
  clock_.pass(6 * day);
  put_line("young", 2);
  clock_.pass(day + 1);
  apply(R"([{"name": "week", "idle": "7d"}])");
  const auto due = retention_->preview(Call());
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].policy, "week");
  EXPECT_EQ(due[0].reason, "idle");
  EXPECT_EQ(due[0].threads, 1U);
  EXPECT_EQ(due[0].checkpoints, 3U);
  EXPECT_EQ(due[0].writes, 3U);
  EXPECT_EQ(due[0].blobs, 4U);
  const auto result = sweep();
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.swept.threads, 1U);
  EXPECT_EQ(result.swept.checkpoints, 3U);
  EXPECT_EQ(result.swept.bytes, due[0].bytes);
  EXPECT_EQ(threads(), Strings{"young"});
  EXPECT_EQ(rows("blobs"), 3U);
  EXPECT_EQ(rows("writes"), 2U);
  EXPECT_TRUE(retention_->preview(Call()).empty());
}

TEST_P(HostedRetention, takes_old_checkpoints_and_only_the_values_that_no_other_has) {
  put_line("long", 5);
  apply(R"([{"name": "short", "idle": "off", "keep_last": 2}])");
  sweep();
  EXPECT_EQ(ids("long"), (Strings{"4", "5"}));
  EXPECT_EQ(rows("blobs"), 3U);
  EXPECT_EQ(rows("writes"), 2U);
  const auto kept = store_.get({"long", "", "4", {}}, Call());
  ASSERT_EQ(kept->values.size(), 2U);
  EXPECT_EQ(kept->values[1].data.view(), "for all");
}

TEST_P(HostedRetention, takes_messages_and_state_with_their_thread) {
  AppendMessages append;
  append.thread_id = "talk";
  append.messages.push_back({.id = "1", .role = "user", .content = "\"hi\""});
  store_.write(append, Call());
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  EXPECT_EQ(sweep().swept.threads, 1U);
  EXPECT_TRUE(threads().empty());
  EXPECT_EQ(rows("messages"), 0U);
}

TEST_P(HostedRetention, leaves_a_thread_alone_that_is_resumed_by_an_answer) {
  put_line("asked", 2);
  put_line("old", 2);
  clock_.pass(8 * day);
  store_.write(PutWrites{"asked", "", "2", {pending("null", -4, "__resume__", "yes")}}, Call());
  apply(R"([{"name": "week"}])");
  sweep();
  EXPECT_EQ(threads(), Strings{"asked"});
  store_.write(Draft("asked", "3").parent("2").carries("shared", "1"), Call());
}

TEST_P(HostedRetention, refuses_a_run_that_goes_on_with_what_has_gone) {
  put_line("old", 2);
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  sweep();
  try {
    store_.write(Draft("old", "3").parent("2").carries("shared", "1"), Call());
    FAIL() << "was stored";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::conflict);
  }
  const auto late = store_.write(PutWrites{"old", "", "2", {pending("t", 1, "a", "x")}}, Call());
  EXPECT_EQ(late.dropped, 1U);
  put_line("old", 1);
  EXPECT_EQ(threads(), Strings{"old"});
}

TEST_P(HostedRetention, refuses_a_fork_of_a_checkpoint_that_has_gone) {
  put_line("long", 5);
  apply(R"([{"name": "short", "idle": "off", "keep_last": 2}])");
  sweep();
  try {
    store_.write(Draft("long", "6").parent("2").carries("a", "2"), Call());
    FAIL() << "was stored";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::conflict);
  }
}

TEST_P(HostedRetention, obeys_pins_holds_and_times_of_threads) {
  for (const char* id : {"due", "held", "later", "old", "pinned"}) put_line(id, 1);
  EXPECT_TRUE(retention_->pin("pinned", Call()));
  EXPECT_FALSE(retention_->pin("pinned", Call()));
  EXPECT_TRUE(retention_->hold("held", "case 1", Call()));
  EXPECT_TRUE(retention_->hold("held", "case 2", Call()));
  clock_.pass(8 * day);
  put_line("due", 1);
  retention_->expire("later", clock_.now() + 1, Call());
  retention_->expire("due", clock_.now() - 1, Call());
  apply(R"([{"name": "week"}])");
  sweep();
  EXPECT_EQ(threads(), (Strings{"held", "later", "pinned"}));
  EXPECT_TRUE(retention_->unpin("pinned", Call()));
  EXPECT_TRUE(retention_->release("held", "case 1", Call()));
  EXPECT_FALSE(retention_->release("held", "case 1", Call()));
  retention_->expire("later", {}, Call());
  sweep();
  EXPECT_EQ(threads(), Strings{"held"});
}

TEST_P(HostedRetention, keeps_the_time_of_a_thread_only_as_long_as_the_thread) {
  put_line("a", 1);
  retention_->expire("a", clock_.now(), Call());
  sweep();
  EXPECT_TRUE(threads().empty());
  put_line("a", 1);
  sweep();
  EXPECT_EQ(threads(), Strings{"a"});
}

TEST_P(HostedRetention, sweeps_without_policies_only_by_times_and_says_so) {
  put_line("old", 1);
  clock_.pass(1000 * day);
  const auto result = sweep();
  EXPECT_EQ(result.policies, 0U);
  EXPECT_NE(result.summary.find("no policy is stored"), std::string::npos) << result.summary;
  EXPECT_EQ(threads(), Strings{"old"});
}

TEST_P(HostedRetention, works_in_batches_that_are_bounded) {
  for (int i = 0; i < 9; ++i) put_line("old-" + std::to_string(i), 2);
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  SweepOptions options;
  options.batch_size = 4;
  std::uint64_t last = 0;
  options.progress = [&](const Swept& swept) {
    EXPECT_LE(swept.checkpoints - last, 4U);
    last = swept.checkpoints;
  };
  EXPECT_EQ(retention_->sweep(options, Call()).swept.checkpoints, 18U);
}

TEST_P(HostedRetention, ends_when_it_has_taken_from_enough_threads) {
  for (int i = 0; i < 9; ++i) put_line("old-" + std::to_string(i), 1);
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  SweepOptions options;
  options.batch_size = 2;
  options.max_threads = 3;
  const auto first = retention_->sweep(options, Call());
  EXPECT_FALSE(first.finished);
  EXPECT_EQ(first.swept.threads, 4U);
  EXPECT_EQ(retention_->runs(1, Call()).front().state, "paused");
  EXPECT_EQ(sweep().swept.threads, 5U);
}

TEST_P(HostedRetention, goes_on_where_it_was_stopped) {
  for (int i = 0; i < 9; ++i) put_line("old-" + std::to_string(i), 1);
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  std::stop_source stop;
  SweepOptions options;
  options.batch_size = 4;
  options.progress = [&](const Swept&) { stop.request_stop(); };
  const Call call{.deadline = {}, .stop = stop.get_token()};
  try {
    retention_->sweep(options, call);
    FAIL() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::cancelled) << error.what();
  }
  EXPECT_EQ(threads().size(), 5U);
  EXPECT_EQ(retention_->runs(1, Call()).front().state, "failed");
  put_line("old-0", 1);
  clock_.pass(8 * day);
  EXPECT_EQ(sweep().swept.threads, 5U);
  EXPECT_EQ(threads(), Strings{"old-0"});
  sweep();
  EXPECT_TRUE(threads().empty());
}

TEST_P(HostedRetention, does_nothing_when_there_is_no_time) {
  put_line("old", 1);
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  SweepOptions options;
  options.time_budget = {};
  EXPECT_FALSE(retention_->sweep(options, Call()).finished);
  EXPECT_EQ(retention_->runs(1, Call()).front().state, "paused");
  EXPECT_EQ(threads(), Strings{"old"});
}

TEST_P(HostedRetention, waits_for_a_minute_before_it_takes_over_from_one_that_died) {
  for (int i = 0; i < 5; ++i) put_line("old-" + std::to_string(i), 1);
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  kill_sweep(2);
  EXPECT_EQ(sweep().run, 0);
  EXPECT_EQ(threads().size(), 3U);
  clock_.pass(61 * second);
  EXPECT_EQ(sweep().swept.threads, 3U);
  const auto runs = retention_->runs(10, Call());
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].state, "done");
  EXPECT_EQ(runs[1].state, "died");
  EXPECT_EQ(runs[1].swept.threads, 2U);
}

TEST_P(HostedRetention, stops_when_another_has_taken_over) {
  for (int i = 0; i < 5; ++i) put_line("old-" + std::to_string(i), 1);
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  SweepOptions options;
  options.batch_size = 1;
  options.progress = [&](const Swept& swept) {
    if (swept.threads != 2) return;
    clock_.pass(61 * second);
    EXPECT_EQ(sweep().swept.threads, 3U);
  };
  try {
    retention_->sweep(options, Call());
    FAIL() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::conflict) << error.what();
  }
  EXPECT_EQ(retention_->runs(2, Call())[1].state, "died");
}

TEST_P(HostedRetention, leaves_an_audit_of_what_it_did_and_was_told) {
  put_line("old", 2);
  retention_->pin("x", Call());
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  sweep();
  const auto page = retention_->audit("", 2, Call());
  ASSERT_EQ(page.items.size(), 2U);
  EXPECT_EQ(page.items[0].action, "sweep");
  EXPECT_EQ(page.items[0].policy, "week");
  EXPECT_EQ(page.items[0].reason, "idle");
  EXPECT_EQ(page.items[0].run, 1);
  EXPECT_EQ(page.items[0].checkpoints, 2U);
  EXPECT_EQ(page.items[0].blobs, 3U);
  EXPECT_EQ(page.items[0].at, clock_.now());
  EXPECT_FALSE(page.items[0].who.empty());
  EXPECT_EQ(page.items[1].action, "apply");
  const auto rest = retention_->audit(page.next, 2, Call());
  ASSERT_EQ(rest.items.size(), 1U);
  EXPECT_EQ(rest.items[0].action, "pin");
  EXPECT_EQ(rest.items[0].thread_id, "x");
  EXPECT_EQ(rest.next, "");
  EXPECT_THROW(retention_->audit("x", 2, Call()), Error);
}

TEST_P(HostedRetention, keeps_what_is_stored_when_it_is_installed_again) {
  apply(R"([{"name": "week"}])");
  retention_->install(Call());
  ASSERT_EQ(retention_->policies(Call()).size(), 1U);
  EXPECT_EQ(retention_->policies(Call())[0].name, "week");
}

class NotInstalled : public Hosted {
 protected:
  NotInstalled() : Hosted(false) {}

  void refresh() {
    const std::string ids[] = {"a"};
    retention_->refresh(ids, Call());
  }
};

TEST_P(NotInstalled, says_so_whatever_it_is_asked_for) {
  const std::vector<std::function<void()>> calls = {[&] { apply("[]"); },
                                                    [&] { retention_->policies(Call()); },
                                                    [&] { retention_->preview(Call()); },
                                                    [&] { sweep(); },
                                                    [&] { retention_->runs(1, Call()); },
                                                    [&] { retention_->audit("", 1, Call()); },
                                                    [&] { retention_->pin("a", Call()); },
                                                    [&] { retention_->keep({}, Call()); },
                                                    [&] { retention_->leftovers({}, Call()); },
                                                    [&] { refresh(); },
                                                    [&] { retention_->expire("a", {}, Call()); }};
  for (const auto& call : calls) {
    try {
      call();
      ADD_FAILURE() << "went well";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::unsupported) << error.what();
      EXPECT_NE(error.message().find("retention install"), std::string::npos) << error.what();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, HostedRetention, ::testing::ValuesIn(hosted_urls()), scheme_of);
INSTANTIATE_TEST_SUITE_P(Stores, NotInstalled, ::testing::ValuesIn(hosted_urls()), scheme_of);

}  // namespace
}  // namespace threadkeep::retention_test
