// SPDX-License-Identifier: Apache-2.0
// How the server carries reads out. Plans are made without looking at the parameters, as on the
// connections of the backend.
#include "reads_fixture.hpp"

namespace threadkeep::postgres_test {
namespace {

class ReadPlans : public ReadsFixture {
 protected:
  // 200 threads of 100 checkpoints, each of which wrote one of ten channels.
  void fill() {
    raw_.run(
        "INSERT INTO checkpoints (thread_id, checkpoint_id, parent_checkpoint_id, checkpoint) "
        "SELECT 'thread ' || t, lpad(n::text, 8, '0'), lpad((n - 1)::text, 8, '0'), "
        "       jsonb_build_object('channel_versions', "
        "         (SELECT jsonb_object_agg('c' || c, n / 10) FROM generate_series(0, 9) AS c)) "
        "FROM generate_series(1, 200) AS t, generate_series(1, 100) AS n");
    raw_.run(
        "INSERT INTO checkpoint_blobs SELECT 'thread ' || t, '', 'c' || c, n::text, 'text', 'x' "
        "FROM generate_series(1, 200) AS t, generate_series(0, 9) AS c, generate_series(0, 10) AS "
        "n");
    raw_.run(
        "INSERT INTO checkpoint_writes "
        "  (thread_id, checkpoint_id, task_id, idx, channel, type, blob) "
        "SELECT thread_id, checkpoint_id, 'task', 0, 'c0', 'text', 'x' FROM checkpoints");
    raw_.run(
        "INSERT INTO threadkeep_threads (thread_id, updated_at, metadata) "
        "SELECT 'thread ' || t, now(), '{\"k\": 1}' FROM generate_series(1, 5000) AS t");
    raw_.run("ANALYZE");
  }

  // The plan, as lines; `arguments` as SQL.
  std::string plan(const postgres::Statement& statement, const std::string& arguments) {
    raw_.run("DEALLOCATE ALL; SET plan_cache_mode = force_generic_plan");
    raw_.run("PREPARE read AS " + statement.sql());
    std::string plan;
    for (const auto& line : raw_.run("EXPLAIN EXECUTE read (" + arguments + ")")) {
      plan += line + "\n";
    }
    return plan;
  }

  // How many the server looks at.
  int pages(const postgres::Statement& statement, const std::string& arguments) {
    raw_.run("DEALLOCATE ALL; SET plan_cache_mode = force_generic_plan");
    raw_.run("PREPARE read AS " + statement.sql());
    const std::string mark = "Buffers: shared hit=";
    for (const auto& line :
         raw_.run("EXPLAIN (ANALYZE, BUFFERS) EXECUTE read (" + arguments + ")")) {
      const auto at = line.find(mark);
      if (at != std::string::npos) return std::stoi(line.substr(at + mark.size()));
    }
    return 0;
  }

  // Nothing but lookups: no table is read from end to end, and no thread is sorted.
  static void expect_lookups(const std::string& plan) {
    EXPECT_EQ(plan.find("Seq Scan"), std::string::npos) << plan;
    EXPECT_EQ(plan.find("Hash Join"), std::string::npos) << plan;
    EXPECT_EQ(plan.find("Merge Join"), std::string::npos) << plan;
    EXPECT_EQ(plan.find("Sort Key: checkpoints"), std::string::npos) << plan;
    EXPECT_EQ(plan.find("Incremental Sort"), std::string::npos) << plan;
  }
};

// The newest checkpoint is the first one that an index shows.
void expect_newest_from_index(const std::string& plan) {
  EXPECT_NE(plan.find("Scan Backward"), std::string::npos) << plan;
}

INSTANTIATE_TEST_SUITE_P(, ReadPlans, ::testing::Values(Place::fresh, Place::set_up), place_name);

TEST_P(ReadPlans, of_one_checkpoint_are_lookups) {
  fill();
  const auto latest = plan(statements_.get(true, {}), "'thread 1', ''");
  expect_lookups(latest);
  expect_newest_from_index(latest);
  expect_lookups(plan(statements_.get(false, {}), "'thread 1', '', '00000050'"));
}

TEST_P(ReadPlans, of_a_head_are_lookups) {
  fill();
  const auto latest = plan(statements_.head(true), "'thread 1', ''");
  expect_lookups(latest);
  expect_newest_from_index(latest);
  EXPECT_EQ(latest.find("checkpoint_blobs"), std::string::npos) << latest;
  expect_lookups(plan(statements_.head(false), "'thread 1', '', '00000050'"));
}

// A document of a megabyte and more has a hundred pages.
TEST_P(ReadPlans, of_a_head_read_no_document) {
  raw_.run(
      "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) SELECT 't', '1', "
      "jsonb_build_object('text', string_agg(md5(n::text), '')) FROM generate_series(1, 50000) AS "
      "n");
  const int looked_at = pages(statements_.head(true), "'t', ''");
  EXPECT_GT(looked_at, 0);
  EXPECT_LT(looked_at, 20);
  EXPECT_GT(pages(statements_.get(true, {}), "'t', ''"), 100);
}

TEST_P(ReadPlans, of_a_page_of_a_namespace_are_lookups) {
  fill();
  postgres::ListShape shape{.thread_id = true, .checkpoint_ns = true};
  expect_lookups(plan(statements_.list(shape), "'thread 1', '', 11, 1000000"));
  shape.before = true;
  expect_lookups(plan(statements_.list(shape), "'thread 1', '', '00000050', 11, 1000000"));
  shape.after = true;
  expect_lookups(plan(statements_.list(shape),
                      "'thread 1', '', '00000050', '00000040', 'thread 1', '', 11, 9999"));
  shape.conditions = 1;
  expect_lookups(
      plan(statements_.list(shape),
           "'thread 1', '', '00000050', '00000040', 'thread 1', '', 'k', '1', 11, 9999"));
}

TEST_P(ReadPlans, of_a_history_are_lookups) {
  fill();
  expect_lookups(plan(statements_.history(true), "'thread 1', '', '{c0,c1}'"));
  expect_lookups(plan(statements_.history(false), "'thread 1', '', '{c0}', '00000050'"));
}

TEST_P(ReadPlans, of_a_page_of_threads_are_lookups) {
  fill();
  for (const auto& plan : {plan(statements_.threads(0), "'thread 1', 11"),
                           plan(statements_.threads(1), "'thread 1', 11, 'k', '1'")}) {
    expect_lookups(plan);
    expect_newest_from_index(plan);
  }
}

TEST_P(ReadPlans, leave_out_what_is_not_asked_for) {
  fill();
  const auto bare = plan(statements_.get(true, {.values = false, .writes = false}), "'t', ''");
  EXPECT_EQ(bare.find("checkpoint_blobs"), std::string::npos) << bare;
  EXPECT_EQ(bare.find("checkpoint_writes"), std::string::npos) << bare;
}

}  // namespace
}  // namespace threadkeep::postgres_test
