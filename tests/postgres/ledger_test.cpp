// SPDX-License-Identifier: Apache-2.0
// Which ledgers this program serves, and which it refuses.
#include "postgres/ledger.hpp"

#include <gtest/gtest.h>

#include "setup_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using postgres::Catalog;
using postgres::store_version;

// A ledger in which every step of this program is done.
Catalog complete() {
  Catalog catalog;
  catalog.schema = "public";
  for (const auto& step : postgres::steps()) {
    catalog.ledger.push_back({.version = step.version,
                              .name = std::string(step.name),
                              .checksum = step.checksum,
                              .oldest_reader = step.oldest_reader,
                              .tool_version = "0.1.0",
                              .finished = true});
  }
  return catalog;
}

Catalog with_newer(int oldest_reader) {
  Catalog catalog = complete();
  catalog.ledger.push_back({.version = store_version + 1,
                            .name = "later",
                            .checksum = "0",
                            .oldest_reader = oldest_reader,
                            .tool_version = "9.9.9",
                            .finished = true});
  return catalog;
}

void expect_refused(const Catalog& catalog, Code code, const std::string& part) {
  const auto verdict = postgres::judge_ledger(catalog);
  ASSERT_TRUE(verdict.refusal) << part;
  EXPECT_EQ(verdict.refusal->code(), code);
  EXPECT_TRUE(contains(verdict.refusal->message(), part)) << verdict.refusal->what();
  EXPECT_TRUE(contains(verdict.refusal->message(), "\"public\".threadkeep_migrations"));
}

// The SQL of a released step never changes. A comment may.
TEST(PostgresLedger, knows_the_released_steps_by_their_checksums) {
  Rows found;
  for (const auto& step : postgres::steps()) {
    found.push_back(std::to_string(step.version) + " " + std::string(step.name) + " " +
                    step.checksum);
  }
  EXPECT_EQ(found, (Rows{"1 own_tables 215167f09cd6245b", "2 langgraph_tables 35b8253e0f13fbc4",
                         "3 index_run_id f2afd2115102ff40", "4 index_order 42ef3b9ecbb0d0d5",
                         "5 index_thread 391e3bd453b53ff2", "6 session_tables 851374c0a21a4eb8",
                         "7 tombstone_times 43f1dd978f92b3d8"}));
}

TEST(PostgresLedger, accepts_what_this_program_has_written) {
  EXPECT_FALSE(postgres::judge_ledger(complete()).refusal);
  EXPECT_EQ(postgres::judge_ledger(complete()).warnings, Rows{});
  EXPECT_FALSE(postgres::judge_ledger(Catalog()).refusal) << "an empty one";
}

TEST(PostgresLedger, serves_a_newer_schema_as_long_as_it_serves_this_program) {
  const auto verdict = postgres::judge_ledger(with_newer(store_version));
  EXPECT_FALSE(verdict.refusal);
  ASSERT_EQ(verdict.warnings.size(), 1U);
  EXPECT_TRUE(contains(verdict.warnings[0], "of the newer threadkeep 9.9.9"));
  expect_refused(with_newer(store_version + 1), Code::unsupported, "use a newer threadkeep");
}

TEST(PostgresLedger, refuses_a_step_whose_content_was_another) {
  auto catalog = complete();
  catalog.ledger[2].checksum = "0123456789abcdef";
  expect_refused(catalog, Code::corrupt, "step 3 (index_run_id) with other content");
  catalog = complete();
  catalog.ledger[0].name = "another";
  expect_refused(catalog, Code::corrupt, "did step 1 (another) with other content");
}

TEST(PostgresLedger, refuses_gaps_duplicates_and_versions_that_never_were) {
  auto catalog = complete();
  catalog.ledger.erase(catalog.ledger.begin());
  expect_refused(catalog, Code::corrupt, "but not step 1 (own_tables)");
  catalog = complete();
  catalog.ledger.push_back(catalog.ledger.back());
  expect_refused(catalog, Code::corrupt, "step 7 (tombstone_times) twice");
  catalog = complete();
  catalog.ledger[0].version = 0;
  expect_refused(catalog, Code::corrupt, "step 0 (own_tables), which never existed");
}

TEST(PostgresLedger, does_not_miss_the_steps_that_are_left_to_setup) {
  auto catalog = complete();
  catalog.ledger.erase(catalog.ledger.begin() + 1, catalog.ledger.begin() + 4);
  EXPECT_FALSE(postgres::judge_ledger(catalog).refusal);
}

TEST(PostgresLedger, warns_of_a_step_that_was_broken_off) {
  auto catalog = complete();
  catalog.ledger[3].finished = false;
  const auto verdict = postgres::judge_ledger(catalog);
  EXPECT_FALSE(verdict.refusal);
  EXPECT_EQ(verdict.warnings, Rows{"step 4 (index_order) was begun and not finished: run "
                                   "`threadkeep setup` again"});
}

class PostgresLedgerInUse : public SetupTest {};

TEST_F(PostgresLedgerInUse, keeps_an_older_program_out_or_lets_it_in) {
  first_use();
  raw.run("INSERT INTO threadkeep_migrations VALUES (8, 'later', 'x', 7, '9.9.9', now(), now())");
  EXPECT_EQ(first_use().warnings.size(), 1U);
  setup();
  raw.run("UPDATE threadkeep_migrations SET oldest_reader = 8 WHERE version = 8");
  const auto before = dump(url);
  EXPECT_EQ(first_use_error().code(), Code::unsupported);
  EXPECT_EQ(setup_error().code(), Code::unsupported);
  EXPECT_EQ(dump(url), before);
}

TEST_F(PostgresLedgerInUse, keeps_out_a_program_that_does_not_know_what_was_done) {
  first_use();
  raw.run("UPDATE threadkeep_migrations SET checksum = 'x' WHERE version = 1");
  EXPECT_EQ(first_use_error().code(), Code::corrupt);
  EXPECT_EQ(setup_error().code(), Code::corrupt);
}

TEST_F(PostgresLedgerInUse, is_filled_again_where_first_use_was_not_recorded_as_finished) {
  first_use();
  raw.run("UPDATE threadkeep_migrations SET finished_at = NULL WHERE version = 1");
  EXPECT_TRUE(first_use().has_own_tables);
  EXPECT_EQ(raw.value("SELECT count(*) FROM threadkeep_migrations WHERE finished_at IS NULL"), "0");
}

TEST_F(PostgresLedgerInUse, says_which_program_did_what_and_when) {
  first_use();
  EXPECT_EQ(raw.value("SELECT bool_and(tool_version ~ '^[0-9.]+$' AND oldest_reader = 1 AND "
                      "finished_at - started_at < '1 min' AND now() - started_at < '1 min') "
                      "FROM threadkeep_migrations"),
            "t");
}

}  // namespace
}  // namespace threadkeep::postgres_test
