// SPDX-License-Identifier: Apache-2.0
// What first use does to a schema, and what it leaves alone.
#include <gtest/gtest.h>

#include <thread>

#include "setup_support.hpp"
#include "threadkeep/testing/pgbouncer.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using PostgresFirstUse = SetupTest;
using PostgresFirstUseIcu = IcuSetupTest;

const Rows all_tables = {"checkpoint_blobs",      "checkpoint_migrations", "checkpoint_writes",
                         "checkpoints",           "threadkeep_messages",   "threadkeep_migrations",
                         "threadkeep_operations", "threadkeep_scopes",     "threadkeep_state",
                         "threadkeep_streams",    "threadkeep_threads",    "threadkeep_tombstones"};

Rows tables(RawDatabase& raw) {
  return raw.run(
      "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
      "AND relkind = 'r' ORDER BY relname COLLATE \"C\"");
}

void expect_fresh(const Layout& layout) {
  EXPECT_TRUE(layout.has_checkpoint_tables);
  EXPECT_TRUE(layout.has_own_tables);
  EXPECT_TRUE(layout.has_task_path);
  EXPECT_TRUE(layout.blob_may_be_null);
  EXPECT_TRUE(layout.bytewise);
  EXPECT_EQ(layout.langgraph_version, 9);
  EXPECT_EQ(layout.warnings, Rows{});
}

TEST_F(PostgresFirstUse, makes_all_tables_in_an_empty_schema) {
  expect_fresh(first_use());
  EXPECT_EQ(tables(raw), all_tables);
  EXPECT_EQ(raw.value("SELECT string_agg(v::text, ',' ORDER BY v) FROM checkpoint_migrations"),
            "0,1,2,3,4,5,6,7,8,9");
  EXPECT_EQ(ledger(raw).size(), 7U);
  EXPECT_EQ(raw.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
}

TEST_F(PostgresFirstUseIcu, orders_ids_by_their_bytes_whatever_the_database_does) {
  expect_fresh(first_use());
  raw.run("INSERT INTO threadkeep_threads VALUES ('a', now(), now()), ('B', now(), now())");
  EXPECT_EQ(raw.value("SELECT min(thread_id) FROM threadkeep_threads"), "B");
}

TEST_F(PostgresFirstUse, does_nothing_the_second_time) {
  first_use();
  const auto rows = "SELECT xmin, * FROM threadkeep_migrations";
  const auto before = raw.run(rows);
  expect_fresh(first_use());
  EXPECT_EQ(raw.run(rows), before);
}

TEST_F(PostgresFirstUse, makes_the_schema_whatever_its_name) {
  for (const std::string name : {"tenant_a", "Tenant A", "we\"ird", "sch\u00e9ma \u6f22",
                                 "a;b--{c}", "back\\slash'quote", "new\nline", ":colon", "%41"}) {
    const auto store = url + "?schema=" + escaped(name);
    const auto layout = first_use_at(store);
    EXPECT_EQ(layout.schema, name);
    expect_fresh(layout);
    expect_fresh(first_use_at(store));
    EXPECT_EQ(raw.run("SELECT count(*) FROM pg_class WHERE relnamespace = (SELECT oid FROM "
                      "pg_namespace WHERE nspname = $1) AND relkind = 'r'",
                      {name}),
              Rows{"12"});
  }
  EXPECT_EQ(tables(raw), Rows{}) << "something went to public";
}

TEST_F(PostgresFirstUse, keeps_two_schemas_of_a_database_apart) {
  first_use_at(url + "?schema=one");
  raw.run("INSERT INTO one.threadkeep_threads VALUES ('t', now(), now())");
  raw.run("UPDATE one.threadkeep_migrations SET checksum = 'another' WHERE version = 1");
  expect_fresh(first_use_at(url + "?schema=two"));
  EXPECT_EQ(raw.value("SELECT count(*) FROM two.threadkeep_threads"), "0");
  EXPECT_FALSE(look().has_own_tables);
}

TEST_F(PostgresFirstUse, changes_nothing_of_tables_that_LangGraph_made) {
  raw.run(langgraph_tables(9));
  const std::vector<std::string> theirs = {"--exclude-table=threadkeep_*"};
  const auto before = dump(url, theirs);
  const auto layout = first_use();
  EXPECT_TRUE(layout.has_own_tables);
  EXPECT_TRUE(layout.bytewise);
  ASSERT_EQ(layout.warnings.size(), 1U);
  EXPECT_TRUE(contains(layout.warnings[0], "threadkeep_checkpoints_run_id is missing"));
  EXPECT_EQ(dump(url, theirs), before);
  EXPECT_EQ(tables(raw), all_tables);
  EXPECT_EQ(ledger(raw).size(), 3U);
  EXPECT_EQ(raw.value("SELECT count(*) FROM checkpoint_migrations"), "10");
}

TEST_F(PostgresFirstUseIcu, sees_that_LangGraphs_ids_are_not_in_the_order_of_their_bytes) {
  raw.run(langgraph_tables(9));
  const auto layout = first_use();
  EXPECT_FALSE(layout.bytewise);
  EXPECT_EQ(layout.warnings.size(), 3U);
}

TEST_F(PostgresFirstUse, asks_for_setup_where_LangGraphs_tables_are_old) {
  for (int version = 3; version <= 8; ++version) {
    raw.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; " + langgraph_tables(version));
    const auto before = dump(url);
    const auto error = first_use_error();
    EXPECT_EQ(error.code(), Code::unsupported);
    EXPECT_TRUE(contains(error.message(), "at version " + std::to_string(version)) &&
                contains(error.message(), "run `threadkeep setup`"))
        << error.what();
    EXPECT_EQ(dump(url), before);
  }
}

TEST_F(PostgresFirstUse, asks_for_setup_where_LangGraphs_own_did_not_come_to_its_end) {
  for (int version = 0; version <= 2; ++version) {
    raw.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; " + langgraph_tables(version));
    const auto before = dump(url);
    const auto error = first_use_error(call_within(2s));
    EXPECT_EQ(error.code(), Code::unsupported);
    EXPECT_TRUE(contains(error.message(), "at version " + std::to_string(version)) &&
                contains(error.message(), "run `threadkeep setup`"))
        << error.what();
    EXPECT_EQ(dump(url), before);
  }
}

TEST_F(PostgresFirstUse, waits_for_a_setup_of_LangGraph_that_is_under_way) {
  raw.run(langgraph_tables(2));
  std::jthread rest([this] {
    std::this_thread::sleep_for(300ms);
    RawDatabase other(url);
    other.run("DELETE FROM checkpoint_migrations; " +
              langgraph_tables(9).substr(langgraph_tables(2).find("INSERT")));
  });
  EXPECT_TRUE(first_use().has_own_tables);
}

TEST_F(PostgresFirstUse, adopts_the_tables_that_LangGraph_makes_at_the_same_moment) {
  RawDatabase other(url);
  other.run("BEGIN; " + langgraph_tables(9));
  std::jthread commit([&] {
    std::this_thread::sleep_for(300ms);
    other.run("COMMIT");
  });
  const auto layout = first_use();
  EXPECT_TRUE(layout.has_own_tables);
  EXPECT_EQ(ledger(raw).size(), 3U);
  EXPECT_EQ(raw.value("SELECT to_regclass('checkpoints_thread_id_idx') IS NOT NULL"), "t");
}

TEST_F(PostgresFirstUse, names_the_session_that_it_waits_for) {
  RawDatabase other(with(url, "application_name=the%20holder"));
  Connection connection(settings_of(url), Call());
  const auto key = raw.value(
      "SELECT ('x' || left(encode(sha256(convert_to('threadkeep setup/' || "
      "current_database() || '/public', 'UTF8')), 'hex'), 16))"
      "::bit(64)::bigint");
  other.run("BEGIN; SELECT pg_advisory_xact_lock(" + key + ")");
  const auto error =
      error_of([&] { postgres::prepare_first_use(connection, call_within(1500ms)); });
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_TRUE(error.retry_safe());
  EXPECT_TRUE(contains(error.message(), key)) << error.what();
  EXPECT_TRUE(contains(error.message(),
                       "(application 'the holder', role threadkeep, client "
                       "127.0.0.1, for "))
      << error.what();
  EXPECT_TRUE(contains(error.message(), "pg_terminate_backend(")) << error.what();
  EXPECT_FALSE(connection.in_transaction());
  other.run("COMMIT");
  EXPECT_TRUE(postgres::prepare_first_use(connection, Call()).has_own_tables);
}

TEST_F(PostgresFirstUse, says_which_right_is_missing_and_how_to_get_it) {
  const auto visitor = role("visitor");
  const auto expect_denied = [&](const std::string& what) {
    const auto error = error_of([&] { first_use_at(visitor); });
    EXPECT_EQ(error.code(), Code::denied);
    EXPECT_TRUE(contains(error.message(), "role \"visitor\" may not " + what)) << error.what();
    EXPECT_TRUE(contains(error.message(), "`threadkeep setup --print-sql`")) << error.what();
  };
  expect_denied("create tables in schema \"public\" (CREATE)");
  const auto error = error_of([&] { first_use_at(visitor + "?schema=new"); });
  EXPECT_TRUE(contains(error.message(), "create schema \"new\" in database")) << error.what();
  first_use();
  expect_denied("read \"public\".threadkeep_migrations (SELECT)");
  server().run("REVOKE ALL ON SCHEMA public FROM PUBLIC", database);
  // Nothing of the search path can be seen then, so the schema has to be named.
  const auto hidden = error_of([&] { first_use_at(visitor); });
  EXPECT_EQ(hidden.code(), Code::invalid_argument);
  EXPECT_TRUE(contains(hidden.message(), "?schema=NAME")) << hidden.what();
  const auto unused = error_of([&] { first_use_at(visitor + "?schema=public"); });
  EXPECT_TRUE(contains(unused.message(), "may not use schema \"public\" (USAGE)")) << unused.what();
}

TEST_F(PostgresFirstUse, needs_no_right_to_create_once_all_is_there) {
  const auto reader = role("reader");
  first_use();
  server().run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", database);
  expect_fresh(first_use_at(reader));
}

TEST_F(PostgresFirstUse, does_without_the_record_of_LangGraph) {
  const auto reader = role("reader");
  first_use();
  server().run("GRANT SELECT ON threadkeep_migrations TO reader", database);
  EXPECT_EQ(first_use_at(reader).langgraph_version, -1);
  raw.run("DROP TABLE checkpoint_migrations");
  EXPECT_EQ(first_use().langgraph_version, -1);
}

TEST_F(PostgresFirstUse, says_that_a_session_only_reads) {
  const auto reader = url + "?options=-c%20default_transaction_read_only%3Don";
  const auto error = error_of([&] { first_use_at(reader); });
  EXPECT_EQ(error.code(), Code::denied);
  EXPECT_TRUE(contains(error.message(), "only reads")) << error.what();
  first_use();
  expect_fresh(first_use_at(reader));
}

TEST_F(PostgresFirstUse, does_not_depend_on_the_isolation_that_a_role_prefers) {
  expect_fresh(first_use_at(url + "?options=-c%20default_transaction_isolation%3Dserializable"));
}

TEST_F(PostgresFirstUse, refuses_tables_that_only_have_LangGraphs_names) {
  const std::string key = ", PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"CREATE TABLE checkpoints (id serial PRIMARY KEY, epoch int, weights bytea)",
       "its column thread_id is missing"},
      {"CREATE VIEW checkpoints AS SELECT 1 AS thread_id", "it is a view"},
      {langgraph_tables(9) + "ALTER TABLE checkpoints ALTER metadata TYPE text",
       "its column metadata has type text and not jsonb"},
      {langgraph_tables(9) + "ALTER TABLE checkpoints ADD tenant int NOT NULL",
       "its column tenant is unknown here and has no default"},
      {langgraph_tables(9) + "ALTER TABLE checkpoints ADD tenant int NOT NULL DEFAULT 1, "
                             "DROP CONSTRAINT checkpoints_pkey, "
                             "ADD PRIMARY KEY (tenant, thread_id, checkpoint_ns, checkpoint_id)",
       "its primary key is another"},
      {langgraph_tables(9) + "ALTER TABLE checkpoint_writes DROP CONSTRAINT checkpoint_writes_pkey",
       "its column thread_id is not part of its primary key"},
      {"CREATE TABLE checkpoints (thread_id text, checkpoint_ns text, type text, checkpoint jsonb, "
       "metadata jsonb, PRIMARY KEY (thread_id, checkpoint_ns))",
       "shallow saver"},
      {"CREATE TABLE threadkeep_threads (thread_id text PRIMARY KEY)",
       "its column created_at is missing"},
  };
  for (const auto& [sql, expected] : cases) {
    raw.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; " + sql);
    const auto error = first_use_error();
    EXPECT_EQ(error.code(), Code::unsupported) << sql;
    EXPECT_TRUE(contains(error.message(), expected)) << error.what();
    EXPECT_TRUE(contains(error.message(), "?schema=NAME")) << error.what();
  }
}

TEST_F(PostgresFirstUse, goes_on_with_a_newer_LangGraph_whose_columns_it_knows) {
  raw.run(langgraph_tables(9));
  setup();
  raw.run(
      "ALTER TABLE checkpoints ADD expires_at timestamptz, ADD tier int NOT NULL DEFAULT 0; "
      "INSERT INTO checkpoint_migrations VALUES (10), (11)");
  const auto layout = first_use();
  EXPECT_EQ(layout.langgraph_version, 11);
  ASSERT_EQ(layout.warnings.size(), 1U);
  EXPECT_TRUE(contains(layout.warnings[0], "at version 11")) << layout.warnings[0];
  raw.run("ALTER TABLE checkpoints DROP metadata");
  EXPECT_EQ(first_use_error().code(), Code::unsupported);
}

TEST_F(PostgresFirstUse, makes_again_what_was_dropped_of_its_own_tables) {
  first_use();
  raw.run("DROP TABLE threadkeep_tombstones");
  EXPECT_FALSE(look().has_own_tables);
  expect_fresh(first_use());
  EXPECT_EQ(tables(raw), all_tables);
}

// What the version before messages and state has left.
void make_earlier(RawDatabase& raw) {
  raw.run(
      "DROP TABLE threadkeep_messages, threadkeep_streams, threadkeep_state, threadkeep_scopes, "
      "threadkeep_operations; DELETE FROM threadkeep_migrations WHERE version > 5; "
      "ALTER TABLE threadkeep_tombstones DROP deleted_at");
}

TEST_F(PostgresFirstUse, adds_to_a_store_of_an_earlier_version_what_it_lacks) {
  first_use();
  const auto fresh = dump(url);
  make_earlier(raw);
  raw.run("INSERT INTO threadkeep_threads VALUES ('t', now(), now())");
  const auto rows = "SELECT xmin, * FROM threadkeep_migrations ORDER BY version LIMIT 5";
  const auto before = raw.run(rows);
  EXPECT_FALSE(look().has_own_tables);
  expect_fresh(first_use());
  EXPECT_EQ(tables(raw), all_tables);
  EXPECT_EQ(dump(url), fresh);
  EXPECT_EQ(raw.run(rows), before);
  EXPECT_EQ(ledger(raw).size(), 7U);
  EXPECT_EQ(raw.value("SELECT count(*) FROM threadkeep_threads"), "1");
}

TEST_F(PostgresFirstUse, gives_tombstones_of_an_earlier_version_the_time_of_the_step) {
  first_use();
  const auto fresh = dump(url);
  raw.run(
      "ALTER TABLE threadkeep_tombstones DROP deleted_at; "
      "DELETE FROM threadkeep_migrations WHERE version = 7; "
      "INSERT INTO threadkeep_tombstones VALUES ('t', '1')");
  EXPECT_FALSE(look().has_own_tables);
  expect_fresh(first_use());
  EXPECT_EQ(raw.value("SELECT t.deleted_at BETWEEN m.started_at - interval '1 minute' AND "
                      "m.finished_at FROM threadkeep_tombstones AS t, "
                      "threadkeep_migrations AS m WHERE m.version = 7"),
            "t");
  // As a program of that version does it.
  raw.run("INSERT INTO threadkeep_tombstones (thread_id, checkpoint_id) VALUES ('u', '1')");
  EXPECT_EQ(raw.value("SELECT count(*) FROM threadkeep_tombstones WHERE "
                      "deleted_at > now() - interval '1 hour'"),
            "2");
  EXPECT_EQ(dump(url), fresh);
}

TEST_F(PostgresFirstUse, leaves_a_store_of_an_earlier_version_to_those_who_may_change_it) {
  first_use();
  make_earlier(raw);
  const auto app = role("app");
  const auto expect_denied = [&](const std::string& what) {
    const auto error = error_of([&] { first_use_at(app); });
    EXPECT_EQ(error.code(), Code::denied) << error.what();
    EXPECT_TRUE(contains(error.message(), what)) << error.what();
    EXPECT_TRUE(contains(error.message(), "`threadkeep setup --print-sql`")) << error.what();
  };
  server().run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO app", database);
  expect_denied("may not create tables");
  server().run("GRANT CREATE ON SCHEMA public TO app", database);
  expect_denied("permission denied for table threadkeep_threads");
  setup();
  server().run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO app", database);
  expect_fresh(first_use_at(app));
}

TEST_F(PostgresFirstUse, works_through_a_pooler) {
  const testing::Pgbouncer pooler(server());
  expect_fresh(first_use_at(pooler.url(database)));
  EXPECT_EQ(tables(raw), all_tables);
}

TEST_F(PostgresFirstUse, leaves_nothing_behind_when_its_time_is_up) {
  RawDatabase other(url);
  other.run("BEGIN; CREATE TABLE threadkeep_threads (thread_id text)");
  const auto error = first_use_error(call_within(1s));
  EXPECT_EQ(error.code(), Code::unavailable) << error.what();
  other.run("ROLLBACK");
  EXPECT_EQ(tables(raw), Rows{});
  expect_fresh(first_use());
}

}  // namespace
}  // namespace threadkeep::postgres_test
