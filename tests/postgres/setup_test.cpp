// SPDX-License-Identifier: Apache-2.0
// What setup() does to tables that LangGraph made.
#include <gtest/gtest.h>

#include <thread>

#include "setup_support.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/testing/pgbouncer.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using PostgresSetup = SetupTest;
using PostgresSetupIcu = IcuSetupTest;

constexpr const char* put_checkpoint =
    "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) VALUES (gen_random_uuid(), "
    "'1', '{}')";

Rows own_indexes(RawDatabase& raw) {
  return raw.run(
      "SELECT i.indexrelid::regclass::text || ' ' || i.indisvalid::text FROM pg_index i JOIN "
      "pg_class c ON c.oid = i.indexrelid WHERE c.relname LIKE 'threadkeep\\_checkpoints\\_%' "
      "AND c.relnamespace = current_schema()::regnamespace ORDER BY 1");
}

void make_invalid(PostgresServer& server, const std::string& database, const std::string& index) {
  server.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '" + index + "'::regclass",
             database);
}

std::string timeouts(Connection& connection) {
  return ask(connection,
             "SELECT current_setting('statement_timeout') || ' ' || "
             "current_setting('lock_timeout')");
}

void expect_current(const Layout& layout) {
  EXPECT_TRUE(layout.has_checkpoint_tables);
  EXPECT_TRUE(layout.has_task_path);
  EXPECT_TRUE(layout.blob_may_be_null);
  EXPECT_EQ(layout.warnings, Rows{});
}

// A statement that another program keeps open, with the snapshot that it took.
struct OldSnapshot {
  explicit OldSnapshot(const std::string& url) : session(with(url, "application_name=reporting")) {
    session.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM checkpoints");
  }
  void end() { session.run("ROLLBACK"); }
  RawDatabase session;
};

TEST_F(PostgresSetup, is_first_use_in_an_empty_schema) {
  setup();
  EXPECT_EQ(look().warnings, Rows{});
  const auto after_setup = dump(url);
  const auto other = server().create_database();
  first_use_at(server().url(other));
  EXPECT_EQ(dump(server().url(other)), after_setup);
  RawDatabase other_raw(server().url(other));
  EXPECT_EQ(ledger(other_raw), ledger(raw));
}

TEST_F(PostgresSetup, brings_every_version_of_LangGraphs_tables_to_the_newest) {
  for (int version = 3; version <= 9; ++version) {
    raw.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; " + langgraph_tables(version) +
            "INSERT INTO checkpoint_writes VALUES ('t', '', '1', 'task', 0, 'c', 'x', '')");
    setup();
    const auto layout = first_use();
    expect_current(layout);
    // Some versions of LangGraph would otherwise add the column once more, and fail.
    EXPECT_EQ(raw.value("SELECT string_agg(v::text, '' ORDER BY v) FROM checkpoint_migrations"),
              "0123456789");
    EXPECT_EQ(raw.value("SELECT task_path FROM checkpoint_writes"), "");
    EXPECT_EQ(own_indexes(raw), Rows{"threadkeep_checkpoints_run_id true"});
    EXPECT_EQ(ledger(raw).size(), 7U);
  }
}

TEST_F(PostgresSetup, makes_the_tables_that_LangGraphs_setup_did_not_come_to) {
  for (const std::string& tables :
       {langgraph_tables(0), langgraph_tables(1), langgraph_tables(2),
        langgraph_tables(2) + "DELETE FROM checkpoint_migrations WHERE v = 2",
        langgraph_tables(1) + "DROP TABLE checkpoint_migrations"}) {
    raw.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; " + tables);
    setup();
    expect_current(first_use());
    EXPECT_EQ(raw.value("SELECT string_agg(v::text, '' ORDER BY v) FROM checkpoint_migrations"),
              "0123456789");
    EXPECT_EQ(own_indexes(raw), Rows{"threadkeep_checkpoints_run_id true"});
    EXPECT_EQ(ledger(raw).size(), 7U);
  }
}

TEST_F(PostgresSetupIcu, makes_missing_tables_in_the_order_of_those_that_exist) {
  raw.run(langgraph_tables(2));
  setup();
  EXPECT_FALSE(look().bytewise);
  expect_current(first_use());
  EXPECT_EQ(raw.value("SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
                      "WHERE c.relname LIKE 'checkpoint\\_%' AND c.relkind = 'r' AND "
                      "a.attcollation = '\"C\"'::regcollation"),
            "0");
}

TEST_F(PostgresSetup, makes_no_empty_table_in_the_place_of_one_that_is_gone) {
  raw.run(langgraph_tables(9) + "DROP TABLE checkpoint_blobs");
  const auto before = dump(url);
  const auto error = setup_error();
  EXPECT_EQ(error.code(), Code::corrupt);
  EXPECT_TRUE(contains(error.message(), "at version 9, and it has not checkpoint_blobs"))
      << error.what();
  EXPECT_EQ(dump(url), before);
}

// The look at the tables is over when the lock stops the look at the versions.
TEST_F(PostgresSetup, does_not_call_tables_lost_that_come_while_it_looks) {
  raw.run(langgraph_tables(9) +
          "ALTER TABLE checkpoint_writes RENAME TO later;"
          "DELETE FROM checkpoint_migrations WHERE v > 2");
  RawDatabase other(url);
  other.run(
      "BEGIN; LOCK TABLE checkpoint_migrations IN ACCESS EXCLUSIVE MODE;"
      "ALTER TABLE later RENAME TO checkpoint_writes;"
      "INSERT INTO checkpoint_migrations SELECT generate_series(3, 9)");
  std::jthread looking([&] { EXPECT_NO_THROW(setup()); });
  const auto waiting =
      "SELECT count(*) FROM pg_locks WHERE NOT granted AND "
      "relation = 'checkpoint_migrations'::regclass";
  while (raw.value(waiting) == "0") std::this_thread::sleep_for(2ms);
  other.run("COMMIT");
}

TEST_F(PostgresSetupIcu, builds_the_indexes_that_the_order_of_bytes_needs) {
  raw.run(langgraph_tables(9));
  setup();
  EXPECT_EQ(own_indexes(raw),
            (Rows{"threadkeep_checkpoints_order true", "threadkeep_checkpoints_run_id true",
                  "threadkeep_checkpoints_thread true"}));
  EXPECT_FALSE(look().bytewise);
  EXPECT_EQ(look().warnings, Rows{});
  raw.run(
      "INSERT INTO checkpoints SELECT 't' || t, '', c, NULL, NULL, '{}', "
      "jsonb_build_object('run_id', 'r' || c) FROM generate_series(1, 100) t, "
      "generate_series(1, 100) c; ANALYZE checkpoints");
  const auto plan = [&](const std::string& sql) {
    std::string text;
    for (const auto& line : raw.run("EXPLAIN " + sql)) text += line + "\n";
    return text;
  };
  EXPECT_TRUE(contains(plan("SELECT 1 FROM checkpoints WHERE thread_id = 't7' AND checkpoint_ns = "
                            "'' ORDER BY checkpoint_id COLLATE \"C\" DESC LIMIT 1"),
                       "threadkeep_checkpoints_order"));
  EXPECT_TRUE(contains(plan("SELECT min(thread_id COLLATE \"C\") FROM checkpoints WHERE thread_id "
                            "COLLATE \"C\" > 't7'"),
                       "threadkeep_checkpoints_thread"));
  EXPECT_TRUE(contains(plan("SELECT 1 FROM checkpoints WHERE metadata ->> 'run_id' = 'r7' AND "
                            "jsonb_typeof(metadata -> 'run_id') = 'string' AND "
                            "length(metadata ->> 'run_id') <= 512"),
                       "threadkeep_checkpoints_run_id"));
}

TEST_F(PostgresSetup, does_nothing_the_second_time) {
  raw.run(langgraph_tables(3));
  setup();
  const auto before = raw.run("SELECT * FROM threadkeep_migrations");
  setup();
  EXPECT_EQ(raw.run("SELECT * FROM threadkeep_migrations"), before);
}

TEST_F(PostgresSetup, runs_through_any_role_when_nothing_is_left_to_do) {
  const auto reader = role("reader");
  raw.run(langgraph_tables(8));
  setup();
  server().run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", database);
  setup_at(reader);
  raw.run("DROP INDEX threadkeep_checkpoints_run_id");
  const auto error = error_of([&] { setup_at(reader); });
  EXPECT_EQ(error.code(), Code::denied);
  EXPECT_TRUE(contains(error.message(), "role \"reader\" may not do what is missing"))
      << error.what();
}

TEST_F(PostgresSetup, says_who_may_change_the_tables_of_another_role) {
  const auto other = role("other");
  raw.run(langgraph_tables(8));
  server().run(
      "GRANT ALL ON SCHEMA public TO other; GRANT ALL ON ALL TABLES IN SCHEMA public TO "
      "other",
      database);
  const auto error = error_of([&] { setup_at(other); });
  EXPECT_EQ(error.code(), Code::denied);
  EXPECT_TRUE(contains(error.message(), "must be owner of table checkpoint_writes"))
      << error.what();
  EXPECT_TRUE(contains(error.message(), "--print-sql")) << error.what();
}

TEST_F(PostgresSetup, builds_an_index_again_that_is_gone_or_not_valid) {
  raw.run(langgraph_tables(9));
  setup();
  raw.run("DROP INDEX threadkeep_checkpoints_run_id");
  setup();
  EXPECT_EQ(own_indexes(raw), Rows{"threadkeep_checkpoints_run_id true"});
  const auto first = raw.value("SELECT 'threadkeep_checkpoints_run_id'::regclass::oid");
  make_invalid(server(), database, "threadkeep_checkpoints_run_id");
  EXPECT_TRUE(contains(look().warnings.at(0), "is invalid"));
  setup();
  EXPECT_EQ(own_indexes(raw), Rows{"threadkeep_checkpoints_run_id true"});
  EXPECT_NE(raw.value("SELECT 'threadkeep_checkpoints_run_id'::regclass::oid"), first);
}

TEST_F(PostgresSetupIcu, refuses_an_index_of_its_name_and_another_definition) {
  for (const std::string index : {"threadkeep_checkpoints_run_id ON checkpoints (thread_id)",
                                  "threadkeep_checkpoints_run_id ON checkpoint_writes (task_id)",
                                  "threadkeep_checkpoints_run_id ON checkpoints ((metadata ->> "
                                  "'run_id'))",
                                  "threadkeep_checkpoints_order ON checkpoints (thread_id, "
                                  "checkpoint_ns, checkpoint_id)",
                                  "threadkeep_checkpoints_thread ON checkpoints USING hash "
                                  "(thread_id)"}) {
    raw.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; " + langgraph_tables(9) +
            "CREATE INDEX " + index);
    const auto error = setup_error();
    EXPECT_EQ(error.code(), Code::corrupt) << index;
    EXPECT_TRUE(contains(error.message(), "rename or drop it")) << error.what();
    EXPECT_EQ(first_use().has_own_tables, true) << "reads and writes do not need it";
    make_invalid(server(), database, index.substr(0, index.find(' ')));
    EXPECT_EQ(setup_error().code(), Code::corrupt) << "and leaves it: it is somebody else's";
  }
}

// V1, V2 and V9 of what was measured: a build that is broken off leaves an invalid index, creating
// it "if not exists" skips it, and RESET does not bring back a session's timeouts.
TEST_F(PostgresSetup, leaves_the_timeouts_of_its_session_as_they_were) {
  raw.run(langgraph_tables(9));
  Connection connection(settings_of(url), Call());
  connection.execute("SET statement_timeout = '12345ms'; SET lock_timeout = '54321ms'", Call());
  OldSnapshot reporting(url);
  const auto error = error_of([&] { postgres::run_setup(connection, call_within(1500ms)); });
  EXPECT_EQ(error.code(), Code::timeout) << error.what();
  EXPECT_EQ(timeouts(connection), "12345ms 54321ms");
  reporting.end();
  postgres::run_setup(connection, Call());
  EXPECT_EQ(timeouts(connection), "12345ms 54321ms");
  EXPECT_EQ(own_indexes(raw), Rows{"threadkeep_checkpoints_run_id true"});
}

TEST_F(PostgresSetup, is_not_cut_short_by_the_timeouts_of_its_session) {
  raw.run(langgraph_tables(9));
  Connection connection(settings_of(url), Call());
  connection.execute("SET statement_timeout = '300ms'; SET lock_timeout = '100ms'", Call());
  OldSnapshot reporting(url);
  std::jthread later([&] {
    std::this_thread::sleep_for(800ms);
    reporting.end();
  });
  postgres::run_setup(connection, Call());
  EXPECT_EQ(own_indexes(raw), Rows{"threadkeep_checkpoints_run_id true"});
}

TEST_F(PostgresSetup, names_the_transaction_that_holds_up_an_index_and_goes_on_later) {
  raw.run(langgraph_tables(9));
  OldSnapshot reporting(url);
  const auto error = setup_error(call_within(1500ms));
  EXPECT_EQ(error.code(), Code::timeout);
  EXPECT_TRUE(contains(error.message(), "threadkeep_checkpoints_run_id was not built"))
      << error.what();
  EXPECT_TRUE(contains(error.message(), "(application 'reporting', role threadkeep"))
      << error.what();
  EXPECT_EQ(own_indexes(raw), Rows{"threadkeep_checkpoints_run_id false"});
  EXPECT_EQ(ledger(raw).at(2).substr(0, 2), "3|");
  EXPECT_TRUE(contains(ledger(raw).at(2), "NULL")) << "begun and not finished";
  const auto layout = first_use();
  EXPECT_TRUE(layout.has_own_tables);
  EXPECT_EQ(layout.warnings.size(), 2U);
  reporting.end();
  setup();
  EXPECT_EQ(own_indexes(raw), Rows{"threadkeep_checkpoints_run_id true"});
  EXPECT_EQ(look().warnings, Rows{});
}

TEST_F(PostgresSetup, lets_writers_through_while_it_builds_an_index) {
  raw.run(langgraph_tables(9));
  OldSnapshot reporting(url);
  std::jthread building([&] { setup(); });
  RawDatabase watcher(url);
  while (own_indexes(watcher).empty()) std::this_thread::sleep_for(2ms);
  raw.run("SET lock_timeout = '1s'");
  EXPECT_NO_THROW(raw.run(put_checkpoint));
  reporting.end();
}

TEST_F(PostgresSetup, gives_up_a_table_that_stays_in_use_and_names_its_user) {
  raw.run(langgraph_tables(8));
  RawDatabase reader(with(url, "application_name=export"));
  reader.run("BEGIN; SELECT count(*) FROM checkpoint_writes");
  const auto error = setup_error(call_within(4s));
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_TRUE(contains(error.message(), "checkpoint_writes is in use")) << error.what();
  EXPECT_TRUE(contains(error.message(), "(application 'export'")) << error.what();
  reader.run("COMMIT");
  setup();
}

TEST_F(PostgresSetup, changes_a_table_as_soon_as_its_users_let_it) {
  raw.run(langgraph_tables(3));
  RawDatabase reader(url);
  reader.run("BEGIN; SELECT count(*) FROM checkpoint_blobs, checkpoint_writes");
  std::jthread later([&] {
    std::this_thread::sleep_for(3s);
    reader.run("COMMIT");
  });
  setup();
  EXPECT_TRUE(look().has_task_path);
}

// Who waited for the lock inside the server would be waited for by the one who builds.
TEST_F(PostgresSetup, runs_many_at_once_while_an_old_snapshot_holds_up_the_first) {
  raw.run(langgraph_tables(9));
  OldSnapshot reporting(url);
  {
    std::vector<std::jthread> runners;
    for (int i = 0; i < 4; ++i) runners.emplace_back([&] { EXPECT_NO_THROW(setup()); });
    std::this_thread::sleep_for(1500ms);  // longer than deadlock_timeout
    reporting.end();
  }
  EXPECT_EQ(own_indexes(raw), Rows{"threadkeep_checkpoints_run_id true"});
  EXPECT_FALSE(contains(server().log(), "deadlock"));
}

TEST_F(PostgresSetup, names_the_session_that_runs_it_already) {
  raw.run(langgraph_tables(9));
  OldSnapshot reporting(url);
  std::jthread first([&] { setup_at(with(url, "application_name=first%20runner")); });
  RawDatabase watcher(url);
  while (own_indexes(watcher).empty()) std::this_thread::sleep_for(2ms);
  const auto error = setup_error(call_within(1s));
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_TRUE(contains(error.message(), "(application 'first runner'")) << error.what();
  EXPECT_TRUE(contains(error.message(), "SELECT pg_terminate_backend(")) << error.what();
  reporting.end();
}

TEST_F(PostgresSetup, ends_when_its_caller_asks_to_stop) {
  raw.run(langgraph_tables(9));
  OldSnapshot reporting(url);
  std::stop_source source;
  std::jthread later([&] {
    std::this_thread::sleep_for(500ms);
    source.request_stop();
  });
  const auto error = setup_error(Call{Deadline::never(), source.get_token()});
  EXPECT_TRUE(error.code() == Code::cancelled || error.code() == Code::outcome_unknown)
      << error.what();
}

TEST_F(PostgresSetup, ends_with_its_session_and_goes_on_in_the_next) {
  raw.run(langgraph_tables(9));
  OldSnapshot reporting(url);
  std::jthread ending([&] {
    RawDatabase watcher(url);
    while (own_indexes(watcher).empty()) std::this_thread::sleep_for(2ms);
    watcher.run(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND "
        "database = (SELECT oid FROM pg_database WHERE datname = current_database())");
  });
  const auto error = setup_error();
  EXPECT_TRUE(error.code() == Code::unavailable || error.code() == Code::outcome_unknown)
      << error.what();
  reporting.end();
  setup();
  EXPECT_EQ(look().warnings, Rows{});
}

TEST_F(PostgresSetup, lets_run_ids_be_as_long_as_somebody_stored_them) {
  raw.run(langgraph_tables(9));
  const std::string put =
      "INSERT INTO checkpoints SELECT 't', '', gen_random_uuid(), NULL, NULL, '{}', "
      "jsonb_build_object('run_id', string_agg(md5(i::text), '')) FROM generate_series(1, 1000) i";
  raw.run(put);
  setup();
  EXPECT_NO_THROW(raw.run(put));
}

TEST_F(PostgresSetup, is_asked_for_by_ping_until_somebody_has_run_it) {
  raw.run(langgraph_tables(9));
  const auto store = open(url);
  EXPECT_TRUE(store->ping({}).ok);
  EXPECT_TRUE(contains(store->ping({}).detail, "threadkeep_checkpoints_run_id is missing"));
  setup();
  EXPECT_FALSE(contains(store->ping({}).detail, "run `threadkeep setup`"));
  raw.run("DROP TABLE checkpoint_writes");
  EXPECT_FALSE(store->ping({}).ok);
  EXPECT_TRUE(contains(store->ping({}).detail, "tables of the store are gone"));
}

TEST_F(PostgresSetup, is_not_called_a_loss_of_tables_by_a_role_that_may_not_see_them) {
  const auto visitor = open(role("visitor") + "?schema=closed");
  setup_at(url + "?schema=closed");
  const auto health = visitor->ping({});
  EXPECT_FALSE(health.ok);
  EXPECT_TRUE(contains(health.detail, "may not use schema \"closed\" (USAGE)")) << health.detail;
}

TEST_F(PostgresSetup, needs_a_session_to_do_anything_and_names_the_parameter) {
  raw.run(langgraph_tables(8));
  const testing::Pgbouncer pooler(server());
  const auto through_pooler = pooler.url(database);
  const auto error = error_of([&] { setup_at(through_pooler); });
  EXPECT_EQ(error.code(), Code::unsupported);
  EXPECT_TRUE(contains(error.message(), "direct_url=")) << error.what();
  const auto settings = settings_of(with(through_pooler, "direct_url=" + url));
  Connection direct(postgres::for_setup(settings), Call());
  postgres::run_setup(direct, Call());
  EXPECT_TRUE(first_use_at(through_pooler).has_task_path);
  // Programs call it whenever they start.
  setup_at(through_pooler);
}

TEST_F(PostgresSetup, says_what_to_do_where_the_table_is_partitioned) {
  raw.run(langgraph_tables(9) +
          "DROP TABLE checkpoints; CREATE TABLE checkpoints (thread_id text "
          "NOT NULL, checkpoint_ns text NOT NULL DEFAULT '', checkpoint_id text NOT NULL, "
          "parent_checkpoint_id text, type text, checkpoint jsonb NOT NULL, metadata jsonb NOT "
          "NULL DEFAULT '{}', PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)) PARTITION BY "
          "HASH (thread_id); CREATE TABLE part PARTITION OF checkpoints FOR VALUES WITH (MODULUS "
          "1, REMAINDER 0)");
  const auto error = setup_error();
  EXPECT_EQ(error.code(), Code::unsupported);
  EXPECT_TRUE(contains(error.message(), "without CONCURRENTLY")) << error.what();
  raw.run(
      "CREATE INDEX threadkeep_checkpoints_run_id ON checkpoints ((metadata ->> 'run_id')) "
      "WHERE jsonb_typeof(metadata -> 'run_id') = 'string' AND length(metadata ->> 'run_id') <= "
      "512");
  setup();
  EXPECT_EQ(look().warnings, Rows{});
}

}  // namespace
}  // namespace threadkeep::postgres_test
