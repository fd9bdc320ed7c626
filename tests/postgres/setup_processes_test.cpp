// SPDX-License-Identifier: Apache-2.0
// Many processes that set a schema up at once, and some that are killed while they do.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "setup_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using PostgresSetupProcesses = SetupTest;
using PostgresSetupProcessesIcu = IcuSetupTest;

constexpr int many = 16;

// Starts them as close together as it can and waits for all.
void run_at_once(const std::vector<std::string>& command) {
  std::vector<Program> programs;
  for (int i = 0; i < many; ++i) programs.emplace_back(command);
  for (auto& program : programs) EXPECT_EQ(program.wait(), 0) << program.output();
}

std::vector<std::string> first_use_program(const std::string& url) {
  return {FIRST_USE_PROGRAM, url};
}

std::vector<std::string> setup_program(const std::string& url) {
  return {THREADKEEP_COMMAND, "setup", "--url", url};
}

Rows not_valid(RawDatabase& raw) {
  return raw.run("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid");
}

TEST_F(PostgresSetupProcesses, use_an_empty_database_at_once) {
  run_at_once(first_use_program(url));
  EXPECT_EQ(ledger(raw).size(), 7U);
  EXPECT_EQ(look().warnings, Rows{});
  EXPECT_FALSE(contains(server().log(), "deadlock"));
}

TEST_F(PostgresSetupProcesses, use_a_schema_at_once_that_does_not_exist) {
  run_at_once(first_use_program(url + "?schema=tenant"));
  EXPECT_EQ(RawDatabase(url + "?schema=tenant").value("SELECT count(*) FROM threadkeep_migrations"),
            "7");
}

TEST_F(PostgresSetupProcessesIcu, use_a_database_of_LangGraph_at_once) {
  raw.run(langgraph_tables(9));
  run_at_once(first_use_program(url));
  EXPECT_EQ(ledger(raw).size(), 3U);
}

TEST_F(PostgresSetupProcesses, set_an_empty_database_up_at_once) {
  run_at_once(setup_program(url));
  EXPECT_EQ(ledger(raw).size(), 7U);
  EXPECT_EQ(not_valid(raw), Rows{});
}

TEST_F(PostgresSetupProcessesIcu, set_every_version_of_LangGraphs_tables_up_at_once) {
  for (int version = 3; version <= 9; ++version) {
    raw.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; " + langgraph_tables(version));
    run_at_once(setup_program(url));
    EXPECT_EQ(ledger(raw).size(), 7U) << "version " << version;
    EXPECT_EQ(not_valid(raw), Rows{});
    EXPECT_EQ(look().warnings, Rows{});
  }
  EXPECT_FALSE(contains(server().log(), "deadlock"));
}

TEST_F(PostgresSetupProcessesIcu, complete_a_schema_with_only_some_tables_at_once) {
  raw.run(langgraph_tables(1));
  std::vector<Program> programs;
  for (int i = 0; i < 4; ++i) programs.emplace_back(setup_program(url));
  for (auto& program : programs) EXPECT_EQ(program.wait(), 0) << program.output();
  EXPECT_TRUE(look().has_checkpoint_tables);
  EXPECT_EQ(look().warnings, Rows{});
}

// The index build waits for an old snapshot, so that the program is surely killed in its middle.
TEST_F(PostgresSetupProcesses, go_on_where_one_was_killed_while_it_built_an_index) {
  raw.run(langgraph_tables(8));
  RawDatabase reporting(url);
  reporting.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  Program first(setup_program(url));
  while (not_valid(raw).empty()) std::this_thread::sleep_for(2ms);
  first.kill();
  EXPECT_EQ(first.wait(), -1);
  EXPECT_EQ(not_valid(raw), Rows{"threadkeep_checkpoints_run_id"});
  reporting.run("ROLLBACK");
  run_program(setup_program(url));
  EXPECT_EQ(not_valid(raw), Rows{});
  EXPECT_EQ(look().warnings, Rows{});
  EXPECT_EQ(raw.value("SELECT count(*) FROM threadkeep_migrations WHERE finished_at IS NULL"), "0");
}

// A sweep of moments: the one after each survives the one before, and in the end all is there.
TEST_F(PostgresSetupProcessesIcu, go_on_wherever_one_was_killed) {
  const auto reference = server().create_database(PostgresServer::Locale::icu);
  RawDatabase(server().url(reference)).run(langgraph_tables(3));
  setup_at(server().url(reference));
  const auto expected = dump(server().url(reference));
  raw.run(langgraph_tables(3) +
          "INSERT INTO checkpoints SELECT 't' || t, '', c::text, NULL, NULL, '{}', "
          "jsonb_build_object('run_id', c) FROM generate_series(1, 300) t, "
          "generate_series(1, 100) c");
  int killed = 0;
  for (auto delay = 5ms; delay < 3s; delay += 15ms) {
    Program program(setup_program(url));
    std::this_thread::sleep_for(delay);
    program.kill();
    if (program.wait() == 0) break;
    ++killed;
  }
  EXPECT_GT(killed, 3);
  run_program(setup_program(url));
  EXPECT_EQ(dump(url), expected);
  EXPECT_EQ(not_valid(raw), Rows{});
  EXPECT_EQ(ledger(raw).size(), 7U);
}

}  // namespace
}  // namespace threadkeep::postgres_test
