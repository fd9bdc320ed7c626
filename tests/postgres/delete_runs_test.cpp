// SPDX-License-Identifier: Apache-2.0
// Deleting runs that reach over more threads than one transaction could lock.
#include <gtest/gtest.h>

#include "store_fixture.hpp"

namespace threadkeep::postgres_test {
namespace {

class DeletingRuns : public StoreFixture {
 protected:
  // A checkpoint of run "r" and one of another run in each of many threads.
  void fill(int threads) { fill(raw_, threads); }
  static void fill(RawDatabase& raw, int threads) {
    raw.run(
        "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint, metadata) "
        "SELECT 'thread ' || lpad(t::text, 6, '0'), c, '{}', "
        "  jsonb_build_object('run_id', CASE c WHEN '1' THEN 'r' ELSE 's' END) "
        "FROM generate_series(1, $1::int) AS t, unnest(ARRAY['1', '2']) AS c",
        {std::to_string(threads)});
  }
  // Its second checkpoint needs the first one, which is of the run.
  void put_dependent(const std::string& thread_id) {
    raw_.run(
        "INSERT INTO checkpoints (thread_id, checkpoint_id, parent_checkpoint_id, checkpoint, "
        "metadata) VALUES "
        "($1, '1', NULL, '{\"channel_versions\": {\"log\": \"1\"}}', '{\"run_id\": \"r\", "
        "  \"counters_since_delta_snapshot\": {\"log\": [1, 1]}}'), "
        "($1, '2', '1', '{\"channel_versions\": {\"log\": \"2\"}}', '{\"run_id\": \"s\", "
        "  \"counters_since_delta_snapshot\": {\"log\": [2, 2]}}')",
        {thread_id});
  }
  std::string left_of_the_run() {
    return raw_.value("SELECT count(*) FROM checkpoints WHERE metadata ->> 'run_id' = 'r'");
  }
};

// Of locks a server holds a number that follows from that of its connections.
TEST_F(DeletingRuns, reaches_over_more_threads_than_the_server_has_locks) {
  const testing::PostgresServer small({.durable = false, .settings = {{"max_connections", "20"}}});
  const auto backend = Registry::builtin().open(small.url());
  backend->setup(Call());
  RawDatabase raw(small.url());
  fill(raw, 15'000);
  const Mutation mutation = DeleteRuns{{"r"}};
  const Call call{.deadline = Deadline::after(std::chrono::minutes(5)), .stop = {}};
  const auto outcome = backend->apply({&mutation, 1}, call).front();
  ASSERT_FALSE(outcome.error) << outcome.error->what();
  EXPECT_EQ(outcome.written.changed, 15'000U);
  EXPECT_EQ(raw.value("SELECT count(*) FROM checkpoints WHERE checkpoint_id = '2'"), "15000");
  EXPECT_EQ(raw.value("SELECT count(*) FROM checkpoints WHERE checkpoint_id = '1'"), "0");
  EXPECT_EQ(raw.value("SELECT count(*) FROM threadkeep_tombstones"), "15000");
}

TEST_F(DeletingRuns, deletes_nothing_when_one_of_many_threads_is_in_the_way) {
  fill(1'000);
  put_dependent("zzz, the last one");
  const auto outcome = apply(DeleteRuns{{"r"}});
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), Code::conflict) << outcome.error->what();
  EXPECT_EQ(left_of_the_run(), "1001");
  EXPECT_EQ(outcome.written, Written{});
}

TEST_F(DeletingRuns, says_when_it_ended_in_the_middle) {
  fill(1'000);
  const std::string last = "thread 001000";
  raw_.run("BEGIN");
  raw_.run("SELECT pg_advisory_xact_lock(" + lock_key(last) + ")");
  const Call call{.deadline = Deadline::after(std::chrono::seconds(15)), .stop = {}};
  const auto outcome = apply(DeleteRuns{{"r"}}, call);
  raw_.run("ROLLBACK");
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), Code::outcome_unknown) << outcome.error->what();
  EXPECT_NE(outcome.error->message().find("checkpoints were deleted before"), std::string::npos)
      << outcome.error->what();
  const auto left = std::stoul(left_of_the_run());
  EXPECT_GT(left, 0U);
  EXPECT_LT(left, 1'000U);
  EXPECT_EQ(write(DeleteRuns{{"r"}}).changed, left) << "once more, and it is done";
}

// Without the index over runs every checkpoint is read, but as it lies on the disk and not in the
// order of another index.
TEST_F(DeletingRuns, reads_the_table_from_end_to_end_while_it_has_no_index) {
  raw_.run("DROP INDEX threadkeep_checkpoints_run_id");
  fill(1'000);
  raw_.run("ANALYZE checkpoints");
  const Mutation mutation = DeleteRuns{{"r"}};
  // Its sessions tell what they did when they end at the latest.
  EXPECT_FALSE(Registry::builtin().open(url_)->apply({&mutation, 1}, Call()).front().error);
  const std::string scanned =
      "SELECT seq_scan > 0 FROM pg_stat_user_tables WHERE relid = 'checkpoints'::regclass";
  const Deadline deadline = Deadline::after(std::chrono::seconds(30));
  while (raw_.value(scanned) != "t" && !deadline.passed()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(raw_.value(scanned), "t");
}

}  // namespace
}  // namespace threadkeep::postgres_test
