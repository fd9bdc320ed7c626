// SPDX-License-Identifier: Apache-2.0
// threadkeep migrate-tier with real databases at both ends.
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <thread>

#include "migrate_fixture.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"
#include "threadkeep/threadkeep.hpp"

namespace threadkeep {
namespace {

using json = nlohmann::json;

TEST_F(Migrate, shows_what_it_would_do_and_changes_nothing) {
  const auto printed = migrate({"--dry-run"});
  for (const char* line :
       {"[migrate-tier] Analyzing source tier: standalone\n",
        "[migrate-tier] Analyzing target tier: standalone\n",
        "[migrate-tier] Precondition: target is empty ✓\n", "[migrate-tier] tasks: 3000 rows\n",
        "[migrate-tier] Skipped: sessions, 12 rows: ", "[migrate-tier] Skipped: accounts, 9 rows: ",
        "[migrate-tier] Cycle: tasks.parent_id -> tasks refers to the same table",
        "[migrate-tier] NOTE: agent_logs has no key",
        "[migrate-tier] DRY-RUN COMPLETE (no data written). 8603 total rows would be "
        "migrated.\n"}) {
    EXPECT_TRUE(contains(printed, line)) << line << "\n" << printed;
  }
  EXPECT_EQ(sql(target, "SELECT count(*) FROM users"), "0\n");
  EXPECT_EQ(own_tables(target), "0\n");
  EXPECT_EQ(sql(target, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0\n");
}

TEST_F(Migrate, copies_an_application_and_proves_it) {
  EXPECT_TRUE(contains(migrate({}, usage), "say --yes"));
  const auto printed = migrate({"--yes"});
  EXPECT_TRUE(contains(printed, "COMPLETE. 8603 rows migrated\n")) << printed;
  EXPECT_TRUE(contains(printed, "tasks.parent_id: 1000 rows set")) << printed;
  EXPECT_EQ(contents(target), contents(source));
  EXPECT_EQ(sql(target, "SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM accounts)"),
            "0\n");
  EXPECT_EQ(sql(target, "INSERT INTO tasks (mission_id) VALUES (1) RETURNING id"), "3001\n");
  EXPECT_EQ(sql(target,
                "INSERT INTO teams (name, owner_id) SELECT 'x', owner_id FROM teams LIMIT 1 "
                "RETURNING id"),
            "51\n");
  EXPECT_TRUE(contains(migrate({"--yes"}, usage), "the target is not empty: "));
}

TEST_F(Migrate, verifies_in_both_directions) {
  migrate({"--yes"});
  sql(target,
      "DELETE FROM events WHERE id = 7; UPDATE events SET name = 'other' WHERE id = 8;"
      "INSERT INTO events (id, name) VALUES (9000, 'new')");
  Arguments verify = arguments({});
  verify.insert(verify.begin() + 1, "verify");
  const auto printed = run(verify, differs);
  EXPECT_TRUE(contains(printed, "events: 1 missing, 1 different, 1 only in the target")) << printed;
  EXPECT_TRUE(contains(printed, "the sequence of events.id would give")) << printed;
}

TEST_F(Migrate, keeps_what_is_newer_in_the_target) {
  migrate({"--yes"});
  sql(target,
      "UPDATE tasks SET title = 'newer', version = 2 WHERE id = 1;"
      "UPDATE tasks SET title = 'older' WHERE id = 2;"
      "UPDATE users SET name = 'newer', updated_at = '2027-01-01Z' WHERE email = 'u1@example'");
  // What has no key is copied into an empty table only.
  const auto printed = migrate({"--yes", "--allow-non-empty", "--skip", "agent_logs"});
  EXPECT_TRUE(contains(printed, "newer in the target")) << printed;
  EXPECT_EQ(sql(target, "SELECT title FROM tasks WHERE id IN (1, 2) ORDER BY id"),
            "newer\ntask 2\n");
  EXPECT_EQ(sql(target, "SELECT name FROM users WHERE email = 'u1@example'"), "newer\n");
}

TEST_F(Migrate, copies_credentials_where_that_is_asked_for) {
  const auto printed = migrate({"--yes", "--include-credentials"});
  EXPECT_TRUE(contains(printed, "NOTE: accounts: 9 rows of credentials are copied")) << printed;
  EXPECT_EQ(sql(target, "SELECT count(*) FROM accounts"), "9\n");
}

TEST_F(Migrate, writes_rows_that_are_not_taken_to_a_file) {
  sql(target, "ALTER TABLE events ADD CHECK (id NOT IN (100, 200))");
  const std::string file = in_directory("rejects.jsonl");
  EXPECT_TRUE(contains(migrate({"--yes", "--reject-file", file}, failed), "--max-errors"));
  std::filesystem::remove(file);
  const auto printed = migrate({"--yes", "--reject-file", file, "--max-errors", "2"}, failed);
  EXPECT_TRUE(contains(printed, "events: 500 rows (498 inserted and 2 rejected)")) << printed;
  EXPECT_TRUE(contains(printed, "are equal but for 2 rejected, nothing refers")) << printed;
  EXPECT_EQ(sql(target, "SELECT count(*) FROM events"), "498\n");
  std::ifstream rejects(file);
  std::vector<std::string> keys;
  for (std::string line; std::getline(rejects, line);) {
    const auto row = json::parse(line);
    EXPECT_EQ(row.at("code"), "23514");
    keys.push_back(row.at("line").get<std::string>().substr(0, 3));
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"100", "200"}));
}

// A row that is wrong in the target is told although as many were rejected.
TEST_F(Migrate, tells_rejected_rows_from_others_by_their_key) {
  sql(target, "ALTER TABLE events ADD CHECK (id NOT IN (100, 200))");
  sql(target,
      "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
      " IF NEW.id = 300 THEN RETURN NULL; END IF;"
      " NEW.name = 'spoiled'; RETURN NEW; END $$;"
      "CREATE TRIGGER spoil BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.id IN (300, 400)) "
      "EXECUTE FUNCTION spoil()");
  const Arguments more = {"--yes", "--reject-file", in_directory("rejects.jsonl"), "--max-errors",
                          "2"};
  const auto printed = migrate(more, differs);
  EXPECT_TRUE(contains(printed, "events: 1 missing, 1 different, 0 only in the target")) << printed;
  sql(target, "DROP TRIGGER spoil ON events");
  const auto again = migrate(more, failed);
  EXPECT_TRUE(contains(again, "Verified: ")) << again;
  EXPECT_EQ(sql(target, "SELECT count(*) FROM events WHERE name <> 'spoiled'"), "498\n");
}

TEST_F(Migrate, tells_newer_rows_from_others_by_their_key) {
  migrate({"--yes"});
  sql(target,
      "UPDATE tasks SET title = 'newer', version = 2 WHERE id IN (1, 2);"
      "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;"
      "CREATE TRIGGER keep BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION keep()");
  sql(source, "UPDATE tasks SET title = 'changed' WHERE id = 3");
  const Arguments more = {"--yes", "--allow-non-empty", "--skip", "agent_logs"};
  const auto printed = migrate(more, differs);
  EXPECT_TRUE(contains(printed, "tasks: 0 missing, 1 different, 0 only in the target")) << printed;
  Arguments verify = arguments({"--skip", "agent_logs"});
  verify.insert(verify.begin() + 1, "verify");
  EXPECT_TRUE(contains(run(verify, differs),
                       "tasks: 0 missing, 3 different (2 newer in the target), 0 only"));
}

TEST_F(Migrate, tells_those_who_watch_it_what_it_did) {
  const std::string file = in_directory("threadkeep.prom");
  const auto metrics = [&] { return text_of(file.c_str()); };
  migrate({"--dry-run", "--metrics-file", file});
  EXPECT_FALSE(std::filesystem::exists(file));
  migrate({"--metrics-file", file}, usage);
  EXPECT_TRUE(contains(metrics(), "threadkeep_command_success{command=\"migrate-tier\"} 0\n"));
  migrate({"--yes", "--metrics-file", file});
  EXPECT_TRUE(contains(metrics(), "threadkeep_command_success{command=\"migrate-tier\"} 1\n"));
  EXPECT_TRUE(contains(metrics(), "\nthreadkeep_migration_rows{outcome=\"inserted\"} 8603\n"));
  EXPECT_TRUE(contains(metrics(), "\nthreadkeep_migration_rows{outcome=\"rejected\"} 0\n"));
}

TEST_F(Migrate, goes_on_after_every_kill) {
  std::mt19937 random(std::random_device{}());
  const Arguments small = {"--yes", "--batch-rows", "100"};
  for (int kills = 0; kills < 12; ++kills) {
    Arguments command = arguments(small);
    command.insert(command.begin(), THREADKEEP_COMMAND);
    testing::Program program(command);
    std::this_thread::sleep_for(std::chrono::milliseconds(100 + random() % 900));
    program.kill();
    if (program.wait() == done) break;
    sql(target,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'threadkeep'");
  }
  // A run that was finished just before its kill leaves rows, and no run that goes on.
  const bool finished =
      own_tables(target) != "0\n" &&
      sql(target, "SELECT count(*) FROM threadkeep_tier_runs WHERE finished_at IS NULL") == "0\n";
  if (!finished) migrate(small);
  EXPECT_EQ(contents(target), contents(source));
}

TEST_F(Migrate, goes_on_after_the_network_was_cut) {
  testing::TcpProxy proxy(server().port());
  proxy.cut_after(testing::TcpProxy::Direction::to_server, 400'000);
  Arguments command = arguments({"--yes", "--batch-rows", "100"});
  command[6] = proxy.in_front_of(server().url(target));
  const auto printed = run(command, interrupted);
  EXPECT_TRUE(contains(printed, "the same command goes on from here")) << printed;
  EXPECT_TRUE(contains(migrate({"--yes"}, done), "Goes on with run"));
  EXPECT_EQ(contents(target), contents(source));
}

TEST_F(Migrate, refuses_to_go_on_with_another_migration) {
  testing::TcpProxy proxy(server().port());
  proxy.cut_after(testing::TcpProxy::Direction::to_server, 400'000);
  Arguments command = arguments({"--yes"});
  command[6] = proxy.in_front_of(server().url(target));
  run(command, interrupted);
  const auto printed = migrate({"--yes", "--skip", "skills"}, usage);
  EXPECT_TRUE(contains(printed, "it had other tables, columns or options")) << printed;
  EXPECT_TRUE(contains(printed, "--new-run")) << printed;
}

TEST_F(Migrate, names_who_holds_the_lock) {
  const auto first = migrate({"--yes"});
  const std::string words = "Lock: advisory lock ";
  ASSERT_TRUE(contains(first, words)) << first;
  const auto at = first.find(words) + words.size();
  const std::string number = first.substr(at, first.find('\n', at) - at);
  testing::Program holder({"psql", server().url(target), "-c",
                           "SELECT pg_advisory_lock(" + number + "), pg_sleep(60)"});
  while (sql(target, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0\n") {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const auto printed =
      migrate({"--yes", "--allow-non-empty", "--skip", "agent_logs", "--no-wait"}, usage);
  const auto pid = sql(target, "SELECT pid FROM pg_locks WHERE locktype = 'advisory'");
  EXPECT_TRUE(contains(printed, "process " + pid.substr(0, pid.find('\n')))) << printed;
}

TEST_F(Migrate, refuses_the_same_database_and_tiers_that_do_not_fit) {
  Arguments same = arguments({"--yes"});
  same[6] = same[2] + "?application_name=other";
  EXPECT_TRUE(contains(run(same, usage), "source and target are the same database"));
  Arguments local = arguments({"--yes"});
  local[4] = "local";
  EXPECT_TRUE(contains(run(local, usage), "say --to standalone"));
}

TEST_F(Migrate, names_tables_and_columns_that_the_target_lacks) {
  sql(target, "DROP TABLE skills; ALTER TABLE events DROP COLUMN name");
  const auto printed = migrate({"--dry-run"}, usage);
  EXPECT_TRUE(contains(printed, "the target lacks tables: skills (3 rows)")) << printed;
  EXPECT_TRUE(contains(printed, "events.name has no column in the target")) << printed;
  migrate({"--yes", "--skip", "skills", "--skip", "events.name"});
}

TEST_F(Migrate, tells_programs_what_happens) {
  const auto printed = migrate({"--yes", "--json"});
  std::istringstream lines(printed);
  std::vector<std::string> events;
  for (std::string line; std::getline(lines, line);)
    events.push_back(json::parse(line).at("event"));
  EXPECT_EQ(events.front(), "source");
  EXPECT_EQ(events.back(), "complete");
}

TEST_F(Migrate, copies_the_threads_of_a_store) {
  {
    const auto store = open(server().url(source));
    store->write(testing::Draft("ada", "1").value("messages", "1", "hello"), {});
  }
  const auto printed = migrate({"--yes"});
  EXPECT_TRUE(contains(printed, "checkpoints (of the store): 1 row")) << printed;
  EXPECT_TRUE(contains(run({"threads", "list", "--url", server().url(target)}, done), "ada"));
}

TEST_F(Migrate, prints_no_password) {
  const std::string canary = "canary7f3a";
  const auto with_password = [&](std::string plain) {
    return plain.replace(plain.find("threadkeep@"), 11, "threadkeep:" + canary + "@");
  };
  Arguments command = arguments({"--yes"});
  command[2] = with_password(command[2]);
  command[6] = with_password(command[6]);
  EXPECT_FALSE(contains(run(command, done), canary));
  EXPECT_EQ(
      sql(target, "SELECT count(*) FROM threadkeep_tier_runs r WHERE r::text LIKE '%canary%'"),
      "0\n");
  command.push_back("--json");
  EXPECT_FALSE(contains(run(command, usage), canary));
  command[6] += "_absent";
  EXPECT_FALSE(contains(run(command, usage), canary));
  command[2] += "_absent";
  EXPECT_FALSE(contains(run(command, 4), canary));
}

class MigrateFile : public Migrate {
 protected:
  std::string shell(const std::string& text, int status = done) const {
    const std::string bin = std::filesystem::path(THREADKEEP_COMMAND).parent_path();
    return testing::run_program(
        {"/bin/bash", "-c", "set -eo pipefail; export PATH=\"$0:$PATH\"; cd \"$1\"; " + text, bin,
         directory.path()},
        status);
  }
  void fill_file() const {
    shell(std::string("sqlite3 app.db \"") + file_tables +
          "INSERT INTO users VALUES ('11111111-1111-1111-1111-111111111111', 'a@example', 'Ada',"
          " 'good', NULL, '2026-01-01 10:00:00', '2026-01-01 10:00:00');"
          "INSERT INTO events VALUES (5, '2026-01-01T10:00:00.5', 'x'); INSERT INTO skills VALUES "
          "('s');\"");
  }
  static constexpr const char* file_tables =
      "CREATE TABLE users (id TEXT PRIMARY KEY NOT NULL, email TEXT NOT NULL UNIQUE, name TEXT,"
      " mood TEXT, default_team_id INTEGER, created_at TIMESTAMP NOT NULL,"
      " updated_at TIMESTAMP NOT NULL);"
      "CREATE TABLE events (id INTEGER PRIMARY KEY, at TIMESTAMP, name TEXT);"
      "CREATE TABLE skills (name TEXT PRIMARY KEY NOT NULL);";
};

TEST_F(MigrateFile, is_described_by_lines_that_run) {
  fill_file();
  setenv("STANDALONE", server().url(target).c_str(), 1);
  setenv("FEDERATED", server().url(source).c_str(), 1);
  int commands = 0;
  for (const auto& line : lines_of(MIGRATE_PAGE, "sh")) {
    ++commands;
    const bool federated = contains(line, "FEDERATED");
    // No pgvector is here: the server says so.
    const auto printed = shell(line, federated ? usage : done);
    if (federated) {
      EXPECT_TRUE(contains(printed, "CREATE EXTENSION vector")) << printed;
    }
  }
  EXPECT_EQ(commands, 5);
  EXPECT_EQ(sql(target, "SELECT email, updated_at AT TIME ZONE 'UTC' FROM users"),
            "a@example|2026-01-01 10:00:00\n");
  EXPECT_EQ(sql(target, "INSERT INTO events (name) VALUES ('y') RETURNING id"), "6\n");
}

TEST_F(MigrateFile, is_taken_back_by_the_lines_of_the_page) {
  fill_file();
  setenv("STANDALONE", server().url(target).c_str(), 1);
  std::string script;
  for (const auto& line : lines_of(MIGRATE_PAGE, "bash")) script += line + "\n";
  const auto printed = shell(script);
  EXPECT_TRUE(contains(printed, "COMPLETE. 3 rows migrated\n")) << printed;
  EXPECT_TRUE(contains(printed, "3 total rows would be deleted.\n")) << printed;
  EXPECT_TRUE(contains(printed, "COMPLETE. 3 rows deleted\n")) << printed;
  EXPECT_EQ(sql(target, "SELECT count(*) FROM users"), "0\n");
}

TEST_F(MigrateFile, loses_no_bytes_of_rejected_rows) {
  shell(std::string("sqlite3 app.db \"") + file_tables +
        "INSERT INTO skills VALUES (CAST(x'61ff62' AS TEXT)), ('fine');\"");
  const Arguments command = from(
      "sqlite:" + in_directory("app.db"),
      arguments({"--yes", "--max-errors", "1", "--reject-file", in_directory("rejects.jsonl")}));
  run(command, failed);
  std::ifstream rejects(in_directory("rejects.jsonl"));
  std::string line;
  ASSERT_TRUE(std::getline(rejects, line));
  const auto row = json::parse(line);
  EXPECT_EQ(row.at("line"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(row.at("line_base64"), "Yf9i");
  EXPECT_FALSE(std::getline(rejects, line));
  EXPECT_EQ(sql(target, "SELECT name FROM skills"), "fine\n");
}

// A key that the target has and the source does not keep.
TEST_F(MigrateFile, refuses_rows_that_have_no_key_of_their_own) {
  shell(
      "sqlite3 app.db \"CREATE TABLE skills (name TEXT);"
      "INSERT INTO skills VALUES ('a'), ('b'), ('a'), (NULL);\"");
  const auto copy = [&](int status) {
    return run(from("sqlite:" + in_directory("app.db"), arguments({"--yes"})), status);
  };
  const auto printed = copy(usage);
  EXPECT_TRUE(contains(printed,
                       "2 rows of \"skills\" in the source have no value of their own in "
                       "skills.name, which is the key of the target; give each row another value"))
      << printed;
  EXPECT_EQ(own_tables(target), "0\n");
  shell("sqlite3 app.db \"DELETE FROM skills WHERE rowid > 2\"");
  copy(done);
}

// What is written there is more than the file's readers are let in for.
TEST_F(MigrateFile, takes_a_large_cycle_of_tables) {
  const std::string cycle =
      "CREATE TABLE a (id INTEGER PRIMARY KEY, b INT NOT NULL REFERENCES b, x TEXT);"
      "CREATE TABLE b (id INTEGER PRIMARY KEY, a INT NOT NULL REFERENCES a, x TEXT);";
  const std::string numbers =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) ";
  shell("sqlite3 from.db \"" + cycle + numbers +
        "INSERT INTO a SELECT i, i, hex(randomblob(2000)) FROM n;" + numbers +
        "INSERT INTO b SELECT i, i, 'x' FROM n\"; sqlite3 to.db \"" + cycle + "\"");
  const auto printed = run({"migrate-tier", "--from", "sqlite:" + in_directory("from.db"), "--to",
                            "local", "--target-url", "sqlite:" + in_directory("to.db"), "--yes"},
                           done);
  EXPECT_TRUE(contains(printed, "COMPLETE. 6000 rows migrated")) << printed;
}

TEST_F(MigrateFile, may_be_the_target) {
  shell(std::string("sqlite3 app.db \"") + file_tables + "\"");
  Arguments command = arguments({"--yes"});
  command[4] = "local";
  command[6] = "sqlite:" + in_directory("app.db");
  for (const auto& table : copied_tables()) {
    if (table == "users" || table == "events" || table == "skills") continue;
    command.insert(command.end(), {"--skip", table});
  }
  EXPECT_TRUE(contains(run(command, done), "COMPLETE. 703 rows migrated"));
  EXPECT_EQ(shell("sqlite3 app.db 'SELECT count(*) FROM users'"), "200\n");
  EXPECT_EQ(shell("sqlite3 app.db \"SELECT name FROM users WHERE email = 'u7@example'\""),
            "a\tb\n\\.\\N7\n");
}

}  // namespace
}  // namespace threadkeep
