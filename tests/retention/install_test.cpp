// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <thread>

#include "retention_fixture.hpp"

namespace threadkeep::retention_test {
namespace {

using RetentionInstall = RetentionFixture;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The fenced blocks of SQL on the page about retention.
Rows documented_sql() {
  Rows found;
  std::ifstream page(std::filesystem::path(DOCUMENTS) / "operation/retention.md");
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "```sql") found.emplace_back();
    inside = line == "```sql" || (inside && line != "```");
    if (inside && line != "```sql") found.back() += line + "\n";
  }
  return found;
}

TEST_F(RetentionInstall, is_documented_by_SQL_that_works_and_ends_without_a_trace) {
  adopt("old", "1", "", 40);
  const Rows blocks = documented_sql();
  ASSERT_EQ(blocks.size(), 6U);
  for (const std::string& sql : blocks) {
    SCOPED_TRACE(sql);
    EXPECT_NO_THROW(raw_.run(sql));
  }
  EXPECT_EQ(raw_.value("SELECT count(*) FROM pg_class WHERE relnamespace = "
                       "current_schema()::regnamespace AND relname LIKE '%retention%'"),
            "0");
  EXPECT_EQ(raw_.value("SELECT count(*) FROM pg_proc WHERE pronamespace = "
                       "current_schema()::regnamespace"),
            "0");
}

TEST_F(RetentionInstall, may_be_done_again_and_keeps_what_is_stored) {
  apply(R"([{"name": "p", "keep_last": 3}])");
  retention_.pin("a", Call());
  retention_.install(Call());
  ASSERT_EQ(retention_.policies(Call()).size(), 1U);
  EXPECT_EQ(retention_.policies(Call())[0].keep_last, 3U);
  EXPECT_FALSE(retention_.pin("a", Call()));
}

TEST_F(RetentionInstall, may_be_done_by_many_at_once) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { EXPECT_NO_THROW(retention_.install(Call())); });
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(RetentionInstall, takes_away_functions_of_before_that_know_no_archives) {
  raw_.run(
      "CREATE FUNCTION threadkeep_retention_batch(bigint, integer) RETURNS integer "
      "LANGUAGE sql AS 'SELECT 1'");
  retention_.install(Call());
  EXPECT_EQ(raw_.value("SELECT count(*) FROM pg_proc WHERE proname = 'threadkeep_retention_batch' "
                       "AND pronamespace = current_schema()::regnamespace"),
            "1");
}

TEST_F(RetentionInstall, does_not_replace_what_a_newer_version_has_installed) {
  raw_.run("UPDATE threadkeep_modules SET version = 1000");
  try {
    retention_.install(Call());
    FAIL() << "was replaced";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unsupported) << error.what();
  }
}

TEST_F(RetentionInstall, needs_a_store_that_is_an_sql_database) {
  Store memory(Registry::builtin().open("memory:"));
  try {
    retention::PostgresRetention retention(memory);
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unsupported);
  }
}

TEST_F(RetentionInstall, lets_the_role_that_sweeps_do_nothing_else) {
  for (const char* sql :
       {"SELECT * FROM {}.checkpoints", "DELETE FROM {}.checkpoints",
        "SELECT * FROM {}.threadkeep_retention_runs", "DELETE FROM {}.threadkeep_retention_marks",
        "SELECT {}.threadkeep_retention_apply('[]')",
        "SELECT {}.threadkeep_retention_mark('a', 'pin', '', false)",
        "SELECT {}.threadkeep_retention_expire('a', now())",
        "SELECT {}.threadkeep_retention_remove(1, '{a}', '[]', 'x', NULL, NULL)",
        "SELECT {}.threadkeep_retention_step(1, 1, '[]', NULL, NULL)",
        "SELECT {}.threadkeep_retention_plan('{a}', '[]', now())"}) {
    EXPECT_TRUE(contains(as_sweeper(sql, 1), "permission denied")) << sql;
  }
  as_sweeper("SELECT * FROM {}.threadkeep_retention_preview()");
}

TEST_F(RetentionInstall, lets_nobody_else_sweep) {
  testing::PostgresServer::shared().run("CREATE ROLE stranger LOGIN");
  raw_.run("GRANT USAGE ON SCHEMA \"" + schema_ + "\" TO stranger");
  const std::string answer = as_sweeper("SELECT 1");
  EXPECT_EQ(answer, "1\n");
  EXPECT_EQ(raw_.value("SELECT count(*) FROM pg_proc WHERE pronamespace = '\"" + schema_ +
                       "\"'::regnamespace AND has_function_privilege('stranger', oid, 'EXECUTE')"),
            "0");
}

TEST_F(RetentionInstall, cannot_be_led_astray_by_the_search_path_of_the_caller) {
  adopt("old", "1", "", 30);
  apply(R"([{"name": "p", "idle": "7d"}])");
  const std::string out = as_sweeper(
      "CREATE TEMP TABLE checkpoints (thread_id text); "
      "CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql AS "
      "$$ SELECT timestamptz '1990-01-01' $$; "
      "SET search_path = pg_temp, pg_catalog; "
      "SELECT threads FROM {}.threadkeep_retention_preview()");
  EXPECT_EQ(out, "1\n");
}

}  // namespace
}  // namespace threadkeep::retention_test
