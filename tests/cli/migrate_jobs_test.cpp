// SPDX-License-Identifier: Apache-2.0
// threadkeep migrate-tier with several tables at a time.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "commit_proxy.hpp"
#include "migrate_fixture.hpp"

namespace threadkeep {
namespace {

using json = nlohmann::json;
using testing::CommitProxy;

constexpr std::chrono::seconds long_enough{120};

class MigrateJobs : public Migrate {
 protected:
  static Arguments with_jobs(Arguments more) {
    more.insert(more.end(), {"--yes", "--jobs", "3", "--batch-rows", "100"});
    return more;
  }
  // What the runs of a target counted, table by table.
  static std::string counts(const std::string& database) {
    return sql(database,
               "SELECT table_name, pass, done, inserted, updated, unchanged, kept, rejected"
               " FROM threadkeep_tier_tables ORDER BY 1, 2; SELECT count(*) FROM "
               "threadkeep_tier_runs");
  }
  std::string expected_counts() const {
    const std::string other = server().create_database();
    sql(other, text_of(APPLICATION_SQL));
    run(to(server().url(other), arguments({"--yes"})), done);
    return counts(other);
  }
  void wait_for_locks(const std::string& which) const {
    const std::string count = "SELECT count(*) FROM pg_locks WHERE classid = 7 AND " + which;
    while (sql(target, count) != "1\n") std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  static std::string through(const CommitProxy& proxy, std::string url) {
    const auto port = ":" + std::to_string(server().port());
    return url.replace(url.find(port), port.size(), ":" + std::to_string(proxy.port()));
  }
};

// Each of the two waits for the other, inside the statement that writes its rows.
TEST_F(MigrateJobs, copy_tables_at_the_same_time) {
  sql(target,
      "CREATE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " PERFORM pg_advisory_xact_lock_shared(7, TG_ARGV[0]::int);"
      " FOR i IN 1..6000 LOOP"
      "  IF (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7"
      "      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) = 2"
      "  OR EXISTS (SELECT FROM met) THEN"
      "   INSERT INTO met VALUES (1); RETURN NEW; END IF;"
      "  PERFORM pg_sleep(0.01);"
      " END LOOP; RAISE 'nobody came'; END $$;"
      "CREATE TABLE met (n int);"
      "CREATE TRIGGER meet BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.id = 1)"
      " EXECUTE FUNCTION meet(1);"
      "CREATE TRIGGER meet BEFORE INSERT ON skills FOR EACH ROW WHEN (NEW.name = 'a|b')"
      " EXECUTE FUNCTION meet(2)");
  const auto printed = migrate(with_jobs({}));
  EXPECT_TRUE(contains(printed, "COMPLETE. 8603 rows migrated")) << printed;
  EXPECT_EQ(sql(target, "SELECT count(*) FROM met"), "2\n");
  EXPECT_EQ(contents(target), contents(source));
  EXPECT_EQ(counts(target), expected_counts());
}

TEST_F(MigrateJobs, tell_each_table_once) {
  const auto printed = migrate(with_jobs({"--json"}));
  std::vector<std::string> told;
  std::uint64_t rows = 0;
  std::istringstream lines(printed);
  for (std::string line; std::getline(lines, line);) {
    const auto event = json::parse(line);
    if (event.at("event") != "table") continue;
    told.push_back(event.at("table"));
    rows += event.at("rows").get<std::uint64_t>();
  }
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told, copied_tables());
  EXPECT_EQ(rows, 8603U);
}

TEST_F(MigrateJobs, may_be_killed_at_any_commit) {
  run(arguments(with_jobs({})), done);
  const auto expected = counts(target);
  for (int number = 2; number <= 90; number += 44) {
    for (const auto edge : {CommitProxy::Edge::before, CommitProxy::Edge::after}) {
      SCOPED_TRACE("commit " + std::to_string(number));
      const std::string other = server().create_database();
      sql(other, text_of(APPLICATION_SQL));
      CommitProxy proxy(server().port());
      proxy.hold(number, edge);
      Arguments command = to(through(proxy, server().url(other)), arguments(with_jobs({})));
      command.insert(command.begin(), THREADKEEP_COMMAND);
      testing::Program program(command);
      ASSERT_TRUE(proxy.wait_until_held(long_enough)) << program.output();
      program.kill();
      proxy.release();
      EXPECT_EQ(program.wait(), -1) << program.output();
      const auto printed = run(to(server().url(other), arguments(with_jobs({}))), done);
      EXPECT_TRUE(contains(printed, "Goes on with run")) << printed;
      EXPECT_EQ(contents(other), contents(source));
      EXPECT_EQ(counts(other), expected);
    }
  }
}

// The lock goes in the middle of a batch of one table; a job that is not faster than that has
// written nothing of those that come after it.
TEST_F(MigrateJobs, all_end_once_the_lock_is_lost) {
  sql(target,
      "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE holder int;"
      "BEGIN SELECT pid INTO holder FROM pg_locks WHERE locktype = 'advisory'"
      " AND database = (SELECT oid FROM pg_database WHERE datname = current_database());"
      " PERFORM pg_terminate_backend(holder);"
      " WHILE EXISTS (SELECT FROM pg_locks WHERE pid = holder) LOOP"
      "  PERFORM pg_sleep(0.01); END LOOP;"
      " RETURN NEW; END $$;"
      "CREATE TRIGGER lose BEFORE INSERT ON users FOR EACH ROW WHEN (NEW.email = 'u7@example') "
      "EXECUTE FUNCTION lose()");
  const auto printed = migrate(with_jobs({}), interrupted);
  EXPECT_TRUE(contains(printed, "was lost, and another migration may be at work")) << printed;
  EXPECT_EQ(sql(target, "SELECT count(*) FROM tasks"), "0\n");
  EXPECT_EQ(sql(target, "SELECT count(*) FROM tickets"), "0\n");
  sql(target, "DROP TRIGGER lose ON users");
  EXPECT_TRUE(contains(migrate(with_jobs({})), "Goes on with run"));
  EXPECT_EQ(contents(target), contents(source));
  EXPECT_EQ(counts(target), expected_counts());
}

TEST_F(MigrateJobs, a_table_that_fails_ends_all_and_is_named) {
  sql(target, "REVOKE INSERT ON missions FROM threadkeep");
  const auto printed = migrate(with_jobs({}), failed);
  EXPECT_TRUE(contains(printed, "the target refuses, and would do so again")) << printed;
  EXPECT_TRUE(contains(printed, "missions")) << printed;
  EXPECT_EQ(sql(target, "SELECT count(*) FROM tasks"), "0\n");
  sql(target, "GRANT INSERT ON missions TO threadkeep");
  EXPECT_TRUE(contains(migrate(with_jobs({})), "Goes on with run"));
  EXPECT_EQ(contents(target), contents(source));
  EXPECT_EQ(counts(target), expected_counts());
}

TEST_F(MigrateJobs, count_their_rejected_rows_together) {
  sql(target,
      "ALTER TABLE events ADD CHECK (id <> 100); ALTER TABLE skills ADD CHECK (name <> 'a|b');"
      "ALTER TABLE insights ADD CHECK (id <> 100)");
  const std::string file = in_directory("rejects.jsonl");
  const auto refused = migrate(with_jobs({"--reject-file", file, "--max-errors", "2"}), failed);
  EXPECT_TRUE(contains(refused, "--max-errors")) << refused;
  std::filesystem::remove(file);
  const auto printed = migrate(with_jobs({"--reject-file", file, "--max-errors", "3"}), failed);
  EXPECT_TRUE(contains(printed, "; 3 rows rejected")) << printed;
  EXPECT_EQ(sql(target,
                "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM skills), "
                "(SELECT count(*) FROM insights)"),
            "499|2|199\n");
}

// What a copy has read is not read again, but what changes in the source after that is found.
TEST_F(MigrateJobs, overlook_no_change_of_the_source) {
  sql(target,
      "CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " PERFORM pg_advisory_xact_lock(7, 1); RETURN NULL; END $$;"
      "CREATE TRIGGER pause AFTER INSERT ON skills FOR EACH STATEMENT EXECUTE FUNCTION pause()");
  testing::Program holder(
      {"psql", server().url(target), "-c", "SELECT pg_advisory_lock(7, 1), pg_sleep(600)"});
  wait_for_locks("granted");
  Arguments command = arguments({"--yes"});
  command.insert(command.begin(), THREADKEEP_COMMAND);
  testing::Program program(command);
  wait_for_locks("NOT granted");
  sql(source,
      "UPDATE events SET name = 'later' WHERE id = 7; DELETE FROM appreciations WHERE id = 7;"
      "INSERT INTO insights (score) VALUES (1)");
  sql(target, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE classid = 7 AND granted");
  EXPECT_EQ(program.wait(), differs) << program.output();
  for (const char* line : {"events: 0 missing, 1 different, 0 only in the target",
                           "appreciations: 0 missing, 0 different, 1 only in the target",
                           "insights: 1 missing, 0 different, 0 only in the target"}) {
    EXPECT_TRUE(contains(program.output(), line)) << line << "\n" << program.output();
  }
}

}  // namespace
}  // namespace threadkeep
