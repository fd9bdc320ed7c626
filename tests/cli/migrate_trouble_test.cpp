// SPDX-License-Identifier: Apache-2.0
// threadkeep migrate-tier where something or somebody is in the way.
#include <chrono>
#include <thread>

#include "migrate_fixture.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep {
namespace {

using Direction = testing::TcpProxy::Direction;

class MigrateTrouble : public Migrate {
 protected:
  // Interrupts a copy in the middle.
  std::string cut(const Arguments& more) const {
    testing::TcpProxy proxy(server().port());
    proxy.cut_after(Direction::to_server, 400'000);
    return run(to(proxy.in_front_of(server().url(target)), arguments(more)), interrupted);
  }
  std::string on_terminal(const std::string& input, int status) const {
    std::string line = THREADKEEP_COMMAND;
    for (const auto& word : arguments({})) line += " '" + word + "'";
    return testing::run_program({"script", "-qec", line, "/dev/null"}, status, input);
  }
  static void wait_until(const std::function<bool()>& holds) {
    while (!holds()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
};

TEST_F(MigrateTrouble, asks_on_a_terminal) {
  const auto declined = on_terminal("n\n", usage);
  EXPECT_TRUE(contains(declined, "Migrate 8603 rows to ")) << declined;
  EXPECT_TRUE(contains(declined, "nothing was migrated")) << declined;
  EXPECT_EQ(own_tables(target), "0\n");
  EXPECT_TRUE(contains(on_terminal("y\n", done), "COMPLETE. 8603 rows migrated"));
  EXPECT_EQ(contents(target), contents(source));
}

TEST_F(MigrateTrouble, gives_an_interrupted_run_up_for_a_new_one) {
  cut({"--yes"});
  const Arguments other = {"--yes", "--skip", "skills", "--skip", "agent_logs", "--new-run"};
  EXPECT_TRUE(contains(migrate(other, usage), "the target is not empty"));
  Arguments all = other;
  all.push_back("--allow-non-empty");
  const auto printed = migrate(all);
  EXPECT_FALSE(contains(printed, "Goes on with")) << printed;
  EXPECT_EQ(sql(target, "SELECT count(*), count(finished_at) FROM threadkeep_tier_runs"), "2|2\n");
}

constexpr const char* cycle =
    "CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL); CREATE TABLE b (id int PRIMARY KEY, a "
    "int "
    "NOT NULL);";
constexpr const char* constraints =
    "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE;"
    "ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a DEFERRABLE;";

TEST_F(MigrateTrouble, copies_tables_of_a_cycle_in_one_transaction) {
  sql(source, std::string(cycle) +
                  "INSERT INTO a SELECT n, 1 + n % 100 FROM generate_series(1, 100) n;"
                  "INSERT INTO b SELECT n, 1 + n % 100 FROM generate_series(1, 100) n;"
                  "UPDATE b SET a = 1000 WHERE id = 7");
  sql(target, std::string(cycle) + constraints);
  const auto printed = migrate({"--yes", "--batch-rows", "10"}, failed);
  EXPECT_TRUE(contains(printed, "the target refuses, and would do so again")) << printed;
  EXPECT_TRUE(contains(printed, "b_a_fkey")) << printed;
  EXPECT_EQ(sql(target, "SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b)"), "0\n");
  sql(source, "UPDATE b SET a = 1 WHERE id = 7");
  EXPECT_TRUE(contains(migrate({"--yes", "--batch-rows", "10"}), "Goes on with run"));
  EXPECT_EQ(sql(target, "SELECT (SELECT count(*) FROM a), (SELECT a FROM b WHERE id = 7)"),
            "100|1\n");
}

TEST_F(MigrateTrouble, tells_a_permission_from_an_interruption) {
  sql(target, "REVOKE INSERT ON tickets FROM threadkeep");
  const auto printed = migrate({"--yes"}, failed);
  EXPECT_TRUE(contains(printed, "the target refuses, and would do so again")) << printed;
  EXPECT_TRUE(contains(printed, "tickets")) << printed;
  sql(target, "GRANT INSERT ON tickets TO threadkeep");
  EXPECT_TRUE(contains(migrate({"--yes"}), "Goes on with run"));
  EXPECT_EQ(contents(target), contents(source));
}

TEST_F(MigrateTrouble, tells_the_source_from_the_target) {
  testing::TcpProxy proxy(server().port());
  proxy.cut_after(Direction::to_client, 500'000);
  const auto printed =
      run(from(proxy.in_front_of(server().url(source)), arguments({"--yes"})), source_failed);
  EXPECT_TRUE(contains(printed, "the source cannot be read")) << printed;
  EXPECT_TRUE(contains(printed, "[migrate-tier] Run ")) << "not in the middle: " << printed;
  EXPECT_TRUE(contains(migrate({"--yes"}), "Goes on with run"));
  EXPECT_EQ(contents(target), contents(source));
}

// The session that holds the lock is ended in the middle of a batch, and is gone before its end.
TEST_F(MigrateTrouble, writes_nothing_more_once_the_lock_is_lost) {
  sql(target,
      "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE holder int;"
      "BEGIN SELECT pid INTO holder FROM pg_locks WHERE locktype = 'advisory'"
      " AND database = (SELECT oid FROM pg_database WHERE datname = current_database());"
      " PERFORM pg_terminate_backend(holder);"
      " WHILE EXISTS (SELECT FROM pg_locks WHERE pid = holder) LOOP"
      "  PERFORM pg_sleep(0.01); END LOOP;"
      " RETURN NEW; END $$;"
      "CREATE TRIGGER lose BEFORE INSERT ON tasks FOR EACH ROW WHEN (NEW.id = 1450) "
      "EXECUTE FUNCTION lose()");
  const auto printed = migrate({"--yes", "--batch-rows", "100"}, interrupted);
  EXPECT_TRUE(contains(printed, "was lost, and another migration may be at work")) << printed;
  EXPECT_EQ(sql(target, "SELECT count(*) FROM tasks"), "1500\n");
  EXPECT_EQ(sql(target, "SELECT count(*) FROM tickets"), "0\n");
  sql(target, "DROP TRIGGER lose ON tasks");
  EXPECT_TRUE(contains(migrate({"--yes", "--batch-rows", "100"}), "Goes on with run"));
  EXPECT_EQ(contents(target), contents(source));
}

TEST_F(MigrateTrouble, copies_again_what_has_changed_during_an_interruption) {
  cut({"--yes", "--batch-rows", "100"});
  ASSERT_NE(sql(target, "SELECT count(*) FROM conversations"), "0\n");
  sql(source,
      "UPDATE users SET name = 'changed' WHERE email = 'u7@example';"
      "INSERT INTO conversations VALUES ('00000000-0000-0000-0000-000000000000', 1)");
  const auto printed = migrate({"--yes", "--batch-rows", "100"});
  EXPECT_TRUE(contains(printed, "The source has changed since the run began; copied once more: "))
      << printed;
  EXPECT_EQ(contents(target), contents(source));
}

// Holds the lock while `change` happens to the source of a migration that waits for it.
class MigrateMeanwhile : public MigrateTrouble {
 protected:
  std::string migrate_while(const std::string& change, int status) const {
    testing::Program holder({"psql", server().url(target), "-c",
                             "SELECT pg_advisory_lock(" + lock_number() + "), pg_sleep(600)"});
    wait_until([&] {
      return sql(target, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "1\n";
    });
    Arguments command = arguments({"--yes"});
    command.insert(command.begin(), THREADKEEP_COMMAND);
    testing::Program migration(command);
    wait_until([&] { return contains(migration.output(), "Waiting for another migration"); });
    sql(source, change);
    sql(target, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
    EXPECT_EQ(migration.wait(), status) << migration.output();
    return migration.output();
  }

 private:
  std::string lock_number() const {
    return sql(target,
               "SELECT ('x' || left(encode(sha256(convert_to('threadkeep migrate-tier|' || "
               "current_database() || '|public', 'UTF8')), 'hex'), 16))::bit(64)::bigint");
  }
};

TEST_F(MigrateMeanwhile, rows_that_came_since_the_analysis_are_copied) {
  const auto printed =
      migrate_while("INSERT INTO skills SELECT n FROM generate_series(1, 50) n", done);
  EXPECT_TRUE(contains(printed, "COMPLETE. 8653 rows migrated")) << printed;
  EXPECT_EQ(contents(target), contents(source));
}

TEST_F(MigrateMeanwhile, rows_that_have_nowhere_to_go_are_found) {
  sql(source, "CREATE TABLE extra (id int PRIMARY KEY)");
  const auto printed = migrate_while("INSERT INTO extra VALUES (1)", usage);
  EXPECT_TRUE(contains(printed, "the target lacks tables: extra (1 row)")) << printed;
  EXPECT_EQ(own_tables(target), "0\n");
}

TEST_F(MigrateTrouble, verification_compares_what_tables_without_a_key_hold) {
  const char* words = "CREATE TABLE words (word text, n integer);";
  sql(source, std::string(words) + "INSERT INTO words VALUES ('a', 1), ('a', 1), ('b', NULL)");
  sql(target, "CREATE TABLE words (id serial PRIMARY KEY, word text, n integer)");
  migrate({"--yes"});
  const Arguments verify = {"migrate-tier", "verify",     "--from",       server().url(source),
                            "--to",         "standalone", "--target-url", server().url(target)};
  run(verify, done);
  sql(target, "UPDATE words SET word = 'c' WHERE word = 'b'");
  const auto printed = run(verify, differs);
  EXPECT_TRUE(contains(printed, "words: 1 missing, 0 different, 1 only in the target")) << printed;
}

// One has expired before the copy, one after it; and one is the target's own.
TEST_F(MigrateTrouble, verification_knows_rows_that_have_expired) {
  for (const auto& database : {source, target}) {
    sql(database,
        "CREATE TABLE leases (who text, expires_at timestamptz);"
        "CREATE TABLE locks (id integer PRIMARY KEY, expires_at timestamptz)");
  }
  sql(source,
      "INSERT INTO leases VALUES ('a', '2020-01-01'), ('b', NULL), ('c', '3000-01-01');"
      "INSERT INTO locks VALUES (1, '2020-01-01'), (2, NULL), (3, '3000-01-01')");
  migrate({"--yes"});
  const Arguments verify = {"migrate-tier", "verify",     "--from",       server().url(source),
                            "--to",         "standalone", "--target-url", server().url(target)};
  for (const auto& database : {source, target}) {
    sql(database,
        "UPDATE leases SET expires_at = '2021-01-01' WHERE who = 'c';"
        "UPDATE locks SET expires_at = '2021-01-01' WHERE id = 3");
  }
  run(verify, done);
  sql(target, "INSERT INTO leases VALUES ('d', NULL); INSERT INTO locks VALUES (4, NULL)");
  const auto printed = run(verify, differs);
  EXPECT_TRUE(contains(printed, "leases: 0 missing, 0 different, 1 only in the target")) << printed;
  EXPECT_TRUE(contains(printed, "locks: 0 missing, 0 different, 1 only in the target")) << printed;
}

TEST_F(MigrateTrouble, a_target_that_cannot_be_reached_is_no_wrong_option) {
  const std::string nowhere = "postgresql://threadkeep@127.0.0.1:1/none";
  EXPECT_TRUE(
      contains(run(to(nowhere, arguments({"--yes"})), interrupted), "nothing was migrated"));
  run({"migrate-tier", "verify", "--from", server().url(source), "--to", "standalone",
       "--target-url", nowhere},
      interrupted);
}

TEST_F(MigrateTrouble, verification_tells_an_error_of_the_target) {
  migrate({"--yes"});
  sql(target, "DELETE FROM messages");  // so that rows are sent
  testing::TcpProxy proxy(server().port());
  proxy.cut_after(Direction::to_server, 100'000);
  Arguments verify = to(proxy.in_front_of(server().url(target)), arguments({}));
  verify.insert(verify.begin() + 1, "verify");
  const auto printed = run(verify, interrupted);
  EXPECT_TRUE(contains(printed, "[migrate-tier] Verifying")) << printed;
  EXPECT_FALSE(contains(printed, "DIFFERENCE")) << printed;
}

TEST_F(MigrateTrouble, takes_the_order_of_the_configuration_and_checks_it) {
  const std::string file = in_directory("threadkeep.yaml");
  std::ofstream(file) << "migrate:\n  order: [events, skills, users]\n";
  setenv("THREADKEEP_CONFIG", file.c_str(), 1);
  EXPECT_TRUE(contains(migrate({"--dry-run"}), "Order: events, skills, users, ")) << "first";
  std::ofstream(file) << "migrate:\n  order: [missions, agents]\n";
  const auto printed = migrate({"--dry-run"}, usage);
  EXPECT_TRUE(contains(printed, "missions")) << printed;
  const std::string order = in_directory("order");
  std::ofstream(order) << "skills\nskils\n";
  const auto instead = migrate({"--dry-run", "--order", order});
  EXPECT_TRUE(contains(instead, "Order: skills, ")) << instead;
  EXPECT_TRUE(contains(instead, "NOTE: the order names \"skils\", which is no table here"))
      << instead;
  unsetenv("THREADKEEP_CONFIG");
}

}  // namespace
}  // namespace threadkeep
