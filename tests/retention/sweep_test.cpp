// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <numeric>
#include <thread>

#include "retention_fixture.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::retention_test {
namespace {

using testing::Draft;
using testing::pending;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class RetentionSweep : public RetentionFixture {
 protected:
  void adopt_many(int threads, double days) {
    for (int i = 0; i < threads; ++i) adopt("old-" + std::to_string(i), "1", "", days);
  }
  // Begins a run and forgets it, as a process does that is killed.
  void leave_run_behind() { as_sweeper("SELECT {}.threadkeep_retention_begin()"); }
  // How many pages the next batch looks at, those of the functions that it calls included.
  int pages_of_batch(const std::string& run, int size) {
    std::string plan;
    for (const std::string& line : raw_.run("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM "
                                            "threadkeep_retention_batch(" +
                                            run + ", " + std::to_string(size) + ", NULL, NULL)")) {
      plan += line;
    }
    const std::string hit = "\"Shared Hit Blocks\": ";
    return std::stoi(plan.substr(plan.find(hit) + hit.size()));
  }
  std::string last_run(const std::string& columns) {
    return raw_.value("SELECT " + columns +
                      " FROM threadkeep_retention_runs ORDER BY run_id DESC LIMIT 1");
  }
};

TEST_F(RetentionSweep, takes_old_threads_of_langgraphs_saver_that_have_no_row) {
  adopt("old", "1", "", 7.01);
  adopt("young", "1", "", 6.99);
  apply(R"([{"name": "p"}])");
  EXPECT_TRUE(contains(sweep(), "took checkpoints from 1 threads (1 checkpoints, 0 writes)"));
  EXPECT_EQ(raw_.value("SELECT string_agg(thread_id, ',') FROM checkpoints"), "young");
}

TEST_F(RetentionSweep, leaves_threads_of_unknown_time_alone) {
  raw_.run("INSERT INTO checkpoints VALUES ('a', '', '1', NULL, NULL, '{}', '{}')");
  apply(R"([{"name": "p", "idle": "1s", "age": "1s"}])");
  sweep();
  EXPECT_EQ(count("checkpoints"), "1");
}

TEST_F(RetentionSweep, says_that_no_policy_is_stored) {
  adopt("old", "1", "", 30);
  EXPECT_TRUE(contains(sweep(), "no policy is stored"));
  EXPECT_EQ(count("checkpoints"), "1");
}

TEST_F(RetentionSweep, collects_blobs_when_the_grace_is_over) {
  adopt("old", "1", "", 30);
  apply(R"([{"name": "p"}])");
  sweep();
  EXPECT_EQ(count("checkpoint_blobs"), "1");
  pass_grace();
  EXPECT_TRUE(contains(sweep(), "collected 1 blobs"));
  EXPECT_EQ(count("checkpoint_blobs"), "0");
  EXPECT_EQ(count("threadkeep_retention_garbage"), "0");
}

TEST_F(RetentionSweep, keeps_blobs_that_a_late_checkpoint_of_langgraphs_saver_carries) {
  adopt("old", "1", "", 30);
  apply(R"([{"name": "p"}])");
  sweep();
  raw_.run(
      "INSERT INTO checkpoints SELECT 'old', '', '2', '1', NULL, jsonb_build_object("
      "'ts', now(), 'channel_versions', jsonb_build_object('a', '1')), '{}'");
  pass_grace();
  sweep();
  const auto late = store_.get({"old", "", "2", {}}, Call());
  ASSERT_TRUE(late);
  ASSERT_EQ(late->values.size(), 1U);
  EXPECT_EQ(late->values[0].data.view(), "1");
}

TEST_F(RetentionSweep, gives_a_blob_that_went_came_back_and_went_again_its_grace) {
  adopt("old", "1", "", 30);
  apply(R"([{"name": "p"}])");
  sweep();
  pass_grace();
  raw_.run(
      "INSERT INTO checkpoints SELECT 'old', '', '2', '1', NULL, jsonb_build_object("
      "'ts', now() - interval '20 days', 'channel_versions', "
      "jsonb_build_object('a', '1')), '{}'");
  sweep();
  EXPECT_EQ(count("checkpoints"), "0");
  EXPECT_EQ(count("checkpoint_blobs"), "1");
  pass_grace();
  sweep();
  EXPECT_EQ(count("checkpoint_blobs"), "0");
}

TEST_F(RetentionSweep, collects_writes_that_came_late) {
  adopt("old", "1", "", 30);
  apply(R"([{"name": "p"}])");
  sweep();
  raw_.run("INSERT INTO checkpoint_writes VALUES ('old', '', '1', 't', 0, 'a', 'x', 'x', '')");
  pass_grace();
  sweep();
  EXPECT_EQ(count("checkpoint_writes"), "0");
}

TEST_F(RetentionSweep, leaves_a_tombstone_that_refuses_a_run_which_goes_on) {
  store_.write(Draft("a", "1").value("v", "1", "x"), Call());
  set_times("a", {}, 0);
  apply(R"([{"name": "p"}])");
  sweep();
  EXPECT_EQ(count("threadkeep_threads"), "0");
  try {
    store_.write(Draft("a", "2").parent("1").carries("v", "1"), Call());
    FAIL() << "was stored";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::conflict);
  }
  EXPECT_EQ(store_.write(PutWrites{"a", "", "1", {pending("t", 0, "v", "x")}}, Call()).dropped, 1U);
}

TEST_F(RetentionSweep, passes_over_a_thread_that_somebody_writes_to) {
  adopt("busy", "1", "", 30);
  adopt("old", "1", "", 30);
  apply(R"([{"name": "p"}])");
  raw_.run("BEGIN; SELECT pg_advisory_xact_lock_shared(threadkeep_retention_lock_key('busy'))");
  EXPECT_TRUE(contains(sweep(), "passed over 1 busy threads"));
  raw_.run("COMMIT");
  EXPECT_EQ(raw_.value("SELECT thread_id FROM checkpoints"), "busy");
}

TEST_F(RetentionSweep, passes_over_a_thread_with_a_row_that_langgraphs_saver_has_locked) {
  adopt("busy", "1", "", 30);
  adopt("busy", "2", "1", 29);
  apply(R"([{"name": "p"}])");
  raw_.run("BEGIN; UPDATE checkpoints SET metadata = '{}' WHERE checkpoint_id = '2'");
  EXPECT_TRUE(contains(sweep(), "passed over 1 busy threads"));
  raw_.run("COMMIT");
  EXPECT_EQ(count("checkpoints"), "2");
}

TEST_F(RetentionSweep, obeys_pins_holds_and_times_of_their_own) {
  for (const char* id : {"pinned", "held", "later", "old"}) adopt(id, "1", "", 30);
  adopt("due", "1", "", 0.1);
  const std::int64_t now = Environment::system().now();
  retention_.pin("pinned", Call());
  retention_.hold("held", "case 1", Call());
  retention_.hold("held", "case 2", Call());
  retention_.expire("later", now + 3'600'000'000, Call());
  retention_.expire("due", now - 1, Call());
  apply(R"([{"name": "p"}])");
  sweep();
  const std::string left = "SELECT string_agg(thread_id, ',' ORDER BY thread_id) FROM checkpoints";
  EXPECT_EQ(raw_.value(left), "held,later,pinned");
  EXPECT_EQ(count("threadkeep_retention_expiry"), "1");
  EXPECT_TRUE(retention_.unpin("pinned", Call()));
  EXPECT_TRUE(retention_.release("held", "case 1", Call()));
  EXPECT_FALSE(retention_.release("held", "case 1", Call()));
  retention_.expire("later", {}, Call());
  sweep();
  EXPECT_EQ(raw_.value(left), "held");
}

TEST_F(RetentionSweep, works_in_batches_that_are_bounded) {
  adopt_many(40, 30);
  for (int i = 1; i <= 30; ++i) {
    adopt("long", std::to_string(1000 + i), i == 1 ? "" : std::to_string(999 + i), 1);
  }
  apply(R"([{"name": "p", "idle": "7d", "keep_last": 2}])");
  sweep(5);
  EXPECT_EQ(count("checkpoints"), "2");
  EXPECT_EQ(last_run("state, checkpoints"), "done|68");
  // The thread that is longer than a batch goes as a whole.
  EXPECT_EQ(raw_.value("SELECT max(checkpoints) FROM threadkeep_retention_audit"), "28");
}

TEST_F(RetentionSweep, goes_on_where_its_time_was_over) {
  adopt_many(20, 30);
  apply(R"([{"name": "p"}])");
  as_sweeper(
      "DO $$ DECLARE run bigint := {}.threadkeep_retention_begin(); "
      "BEGIN PERFORM {}.threadkeep_retention_batch(run, 5, NULL, NULL); "
      "PERFORM {}.threadkeep_retention_finish(run, false); END $$");
  EXPECT_EQ(last_run("state, checkpoints"), "paused|5");
  EXPECT_TRUE(contains(sweep(), "(15 checkpoints"));
  EXPECT_EQ(count("checkpoints"), "0");
}

// Rows that are dead but seen by an old transaction cannot be vacuumed. A sweep that began at the
// first thread again would read those of all batches before it.
TEST_F(RetentionSweep, stays_linear_while_an_old_transaction_keeps_dead_rows) {
  constexpr int batches = 60;
  constexpr int size = 10;
  adopt_many(batches * size, 30);
  raw_.run("ANALYZE checkpoints; ANALYZE checkpoint_blobs");
  apply(R"([{"name": "p"}])");
  RawDatabase old(url_);
  old.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM checkpoints");
  const std::string run = raw_.value("SELECT threadkeep_retention_begin()");
  std::vector<int> pages;
  for (int i = 0; i < batches; ++i) {
    pages.push_back(pages_of_batch(run, size));
    ASSERT_EQ(last_run("checkpoints"), std::to_string((i + 1) * size));
    ASSERT_EQ(raw_.value("SELECT after_thread IS NOT NULL FROM threadkeep_retention_runs"), "t");
  }
  const auto sum = [&](int from) {
    return std::accumulate(pages.begin() + from, pages.begin() + from + 20, 0);
  };
  EXPECT_LT(sum(40), sum(5) * 11 / 10) << sum(5) << ", then " << sum(40);
  EXPECT_EQ(last_run("checkpoints, busy"), "600|0");
  EXPECT_EQ(old.value("SELECT count(*) FROM checkpoints"), "600");
}

TEST_F(RetentionSweep, ends_when_it_has_taken_from_enough_threads) {
  adopt_many(20, 30);
  apply(R"([{"name": "p"}])");
  retention::SweepOptions options;
  options.batch_size = 5;
  options.max_threads = 8;
  const auto first = retention_.sweep(options, Call());
  EXPECT_FALSE(first.finished);
  EXPECT_EQ(first.swept.threads, 10U);
  EXPECT_EQ(last_run("state"), "paused");
  EXPECT_EQ(retention_.sweep({}, Call()).swept.threads, 10U);
}

TEST_F(RetentionSweep, leaves_its_place_to_the_next_at_once_when_it_is_stopped) {
  adopt_many(20, 30);
  apply(R"([{"name": "p"}])");
  std::stop_source stop;
  retention::SweepOptions options;
  options.batch_size = 5;
  options.progress = [&](const retention::Swept& swept) {
    EXPECT_EQ(swept.checkpoints, 5U);
    stop.request_stop();
  };
  Call call;
  call.stop = stop.get_token();
  try {
    retention_.sweep(options, call);
    FAIL() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::cancelled) << error.what();
  }
  EXPECT_EQ(last_run("state, checkpoints"), "failed|5");
  const auto rest = retention_.sweep({}, Call());
  EXPECT_TRUE(rest.finished);
  EXPECT_EQ(rest.swept.checkpoints, 15U);
}

TEST_F(RetentionSweep, does_nothing_while_another_one_is_alive) {
  adopt_many(1, 30);
  apply(R"([{"name": "p"}])");
  leave_run_behind();
  EXPECT_TRUE(contains(sweep(), "another sweep is under way: nothing done"));
  EXPECT_TRUE(contains(as_sweeper("SELECT {}.langgraph_cleanup_old_data()", 1),
                       "another sweep is under way"));
  EXPECT_EQ(count("checkpoints"), "1");
}

TEST_F(RetentionSweep, takes_over_from_one_that_died) {
  adopt_many(1, 30);
  apply(R"([{"name": "p"}])");
  leave_run_behind();
  raw_.run("UPDATE threadkeep_retention_runs SET alive_until = now()");
  sweep();
  EXPECT_EQ(count("checkpoints"), "0");
  EXPECT_EQ(raw_.value("SELECT string_agg(state, ',' ORDER BY run_id) FROM "
                       "threadkeep_retention_runs"),
            "died,done");
  EXPECT_TRUE(
      contains(as_sweeper("SELECT * FROM {}.threadkeep_retention_batch(1, 1000, NULL, NULL)"),
               "has lost its lease"));
}

TEST_F(RetentionSweep, does_not_take_over_while_a_batch_works) {
  leave_run_behind();
  raw_.run("UPDATE threadkeep_retention_runs SET alive_until = now()");
  raw_.run("BEGIN; UPDATE threadkeep_retention_runs SET busy = 0");
  EXPECT_TRUE(contains(sweep(), "another sweep is under way"));
  raw_.run("COMMIT");
}

TEST_F(RetentionSweep, records_the_error_that_ended_it) {
  adopt_many(1, 30);
  raw_.run(R"(INSERT INTO threadkeep_retention_policies VALUES (1, '{"name": "p", "idle": "x"}'))");
  EXPECT_TRUE(contains(as_sweeper("CALL {}.threadkeep_retention_sweep()", 1), "failed: "));
  EXPECT_EQ(last_run("state, error IS NOT NULL"), "failed|t");
}

TEST_F(RetentionSweep, needs_read_committed) {
  EXPECT_TRUE(contains(as_sweeper("BEGIN ISOLATION LEVEL REPEATABLE READ; "
                                  "SELECT {}.threadkeep_retention_begin()",
                                  1),
                       "needs the isolation READ COMMITTED"));
}

TEST_F(RetentionSweep, leaves_an_audit_row_for_every_step_that_deletes) {
  adopt_many(3, 30);
  apply(R"([{"name": "p"}])");
  retention_.pin("x", Call());
  sweep();
  pass_grace();
  sweep();
  EXPECT_EQ(raw_.run("SELECT who, action, policy, reason, threads, checkpoints, blobs, bytes > 0 "
                     "FROM threadkeep_retention_audit WHERE run_id IS NOT NULL ORDER BY audit_id"),
            (Rows{"sweeper|sweep|p|idle|3|3|3|t", "sweeper|sweep|NULL|unreferenced|0|0|3|t"}));
  EXPECT_EQ(raw_.run("SELECT who, action, thread_id FROM threadkeep_retention_audit "
                     "WHERE run_id IS NULL ORDER BY audit_id"),
            (Rows{"threadkeep|apply|NULL", "threadkeep|pin|x"}));
}

TEST_F(RetentionSweep, has_the_function_that_people_look_for) {
  adopt("old", "1", "", 8);
  adopt("middle", "1", "", 3);
  adopt("young", "1", "", 0.01);
  retention_.pin("pinned", Call());
  adopt("pinned", "1", "", 30);
  EXPECT_EQ(as_sweeper("SELECT {}.langgraph_cleanup_old_data()"), "1\n");
  EXPECT_EQ(as_sweeper("SELECT {}.langgraph_cleanup_old_data('2 days')"), "1\n");
  for (const char* too_short : {"'0'", "'-7 days'", "'59 minutes'", "NULL"}) {
    EXPECT_TRUE(contains(
        as_sweeper("SELECT {}.langgraph_cleanup_old_data(" + std::string(too_short) + ")", 1),
        "must be an hour or more"));
  }
  pass_grace();
  EXPECT_EQ(as_sweeper("SELECT {}.langgraph_cleanup_old_data()"), "0\n");
  EXPECT_EQ(
      raw_.value("SELECT string_agg(thread_id, ',' ORDER BY thread_id) FROM checkpoint_blobs"),
      "pinned,young");
}

TEST_F(RetentionSweep, takes_a_thread_that_has_only_a_row) {
  store_.write(PutThread{"a", R"({"tier":"free"})"}, Call());
  set_times("a", {}, 0);
  store_.write(PutThread{"b", "{}"}, Call());
  apply(R"([{"name": "p"}])");
  EXPECT_EQ(as_sweeper("SELECT threads FROM {}.threadkeep_retention_preview()"), "1\n");
  sweep();
  EXPECT_EQ(raw_.value("SELECT thread_id FROM threadkeep_threads"), "b");
}

}  // namespace
}  // namespace threadkeep::retention_test
