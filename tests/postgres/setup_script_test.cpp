// SPDX-License-Identifier: Apache-2.0
// What `threadkeep setup --print-sql` prints does what setup() does, and gives roles what they
// need.
#include <gtest/gtest.h>

#include <thread>
#include <threadkeep/threadkeep.hpp>

#include "setup_support.hpp"
#include "template.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using testing::Draft;
using testing::pending;

std::string script(const std::string& url, std::vector<std::string> options = {}) {
  std::vector<std::string> command = {THREADKEEP_COMMAND, "setup", "--url", url, "--print-sql"};
  command.insert(command.end(), options.begin(), options.end());
  return run_program(command);
}

/// Two databases: one set up by the script, one by the program.
template <class Base>
class ScriptTest : public Base {
 protected:
  /// Makes tables in both, runs the one and the other, and compares what came out.
  void expect_same(const std::string& tables, const std::string& schema = "public") {
    const auto by_script = database_with(tables);
    const auto by_program = database_with(tables);
    const auto parameter = "?schema=" + escaped(schema);
    psql(by_script, script(by_script + parameter));
    Base::setup_at(by_program + parameter);
    EXPECT_EQ(dump(by_script), dump(by_program));
    auto raw_by_script = look_at(by_script, schema);
    auto raw_by_program = look_at(by_program, schema);
    EXPECT_EQ(ledger(raw_by_script), ledger(raw_by_program));
    const auto rows = raw_by_script.run("SELECT * FROM threadkeep_migrations");
    psql(by_script, script(by_script + parameter));
    EXPECT_EQ(raw_by_script.run("SELECT * FROM threadkeep_migrations"), rows) << "the second time";
    EXPECT_EQ(Base::first_use_at(by_script + parameter).warnings, Rows{});
  }

 private:
  std::string database_with(const std::string& tables) {
    const auto made = Base::server().url(Base::server().create_database(Base::locale));
    if (!tables.empty()) RawDatabase(made).run(tables);
    return made;
  }
  static RawDatabase look_at(const std::string& url, const std::string& schema) {
    RawDatabase found(url);
    found.run("SELECT set_config('search_path', $1, false)", {postgres::quote_identifier(schema)});
    return found;
  }
};

class Bytewise : public SetupTest {
 protected:
  static constexpr auto locale = PostgresServer::Locale::bytewise;
};
class Icu : public IcuSetupTest {
 protected:
  static constexpr auto locale = PostgresServer::Locale::icu;
};
using PostgresSetupScript = ScriptTest<Bytewise>;
using PostgresSetupScriptIcu = ScriptTest<Icu>;

TEST_F(PostgresSetupScript, makes_in_an_empty_database_what_the_program_makes) {
  expect_same("");
}

TEST_F(PostgresSetupScriptIcu, makes_in_an_empty_database_what_the_program_makes) {
  expect_same("");
}

TEST_F(PostgresSetupScript, brings_every_version_of_LangGraphs_tables_as_far_as_the_program) {
  for (int version = 0; version <= 9; ++version) {
    expect_same(langgraph_tables(version));
  }
}

TEST_F(PostgresSetupScriptIcu, brings_LangGraphs_tables_as_far_as_the_program) {
  expect_same(langgraph_tables(2));
  expect_same(langgraph_tables(8));
}

TEST_F(PostgresSetupScript, makes_a_schema_of_any_name) {
  expect_same("", "we\"ird 'na\\me\n:x {grantee} \u6f22");
}

TEST_F(PostgresSetupScript, takes_up_what_first_use_has_begun) {
  raw.run(langgraph_tables(8));
  first_use_at(url + "?schema=other");
  psql(url, script(url));
  EXPECT_EQ(first_use().warnings, Rows{});
}

TEST_F(PostgresSetupScriptIcu, builds_an_invalid_index_again) {
  raw.run(langgraph_tables(9));
  setup();
  server().run(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = "
      "'threadkeep_checkpoints_order'::regclass",
      database);
  psql(url, script(url));
  EXPECT_EQ(first_use().warnings, Rows{});
}

TEST_F(PostgresSetupScript, stops_at_what_the_program_refuses) {
  const auto expect_stop = [&](const std::string& tables, const std::string& message) {
    raw.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; " + tables);
    const auto before = dump(url);
    EXPECT_TRUE(contains(psql(url, script(url), 3), message)) << message;
    EXPECT_EQ(dump(url), before);
  };
  expect_stop(langgraph_tables(9) + "DROP TABLE checkpoint_blobs", "tables are gone");
  setup_at(url + "?schema=reference");
  const std::string copy =
      "CREATE TABLE threadkeep_migrations (LIKE reference.threadkeep_migrations INCLUDING ALL); "
      "INSERT INTO threadkeep_migrations SELECT * FROM reference.threadkeep_migrations; ";
  expect_stop(copy + "UPDATE threadkeep_migrations SET checksum = 'x' WHERE version = 3",
              "steps of another program");
  expect_stop(copy + "INSERT INTO threadkeep_migrations VALUES (8, 'x', 'x', 8, 'x', now())",
              "steps of another program");
  raw.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; " + langgraph_tables(9) +
          "CREATE INDEX threadkeep_checkpoints_run_id ON checkpoints (type)");
  EXPECT_TRUE(contains(psql(url, script(url), 3), "another definition"));
  server().run(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = "
      "'threadkeep_checkpoints_run_id'::regclass",
      database);
  EXPECT_TRUE(contains(psql(url, script(url), 3), "another definition"));
}

TEST_F(PostgresSetupScript, does_not_run_beside_another_setup) {
  raw.run(langgraph_tables(9));
  RawDatabase reporting(url);
  reporting.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM checkpoints");
  std::jthread building([&] { setup(); });
  RawDatabase watcher(url);
  while (watcher.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0") {
    std::this_thread::sleep_for(2ms);
  }
  EXPECT_TRUE(contains(psql(url, script(url), 3), "another session changes this schema"));
  reporting.run("ROLLBACK");
}

TEST_F(PostgresSetupScript, leaves_the_timeouts_of_its_session_as_they_were) {
  raw.run(langgraph_tables(9));
  const auto printed =
      psql(url, "SET statement_timeout = '12345ms'; SET lock_timeout = '54321ms';\n" + script(url) +
                    "SHOW statement_timeout; SHOW lock_timeout;");
  EXPECT_EQ(printed, "12345ms\n54321ms\n");
}

// --- Roles

// Everything that a store does; what Postgres refuses comes as an exception.
void use_all(Store& store) {
  Checkpointer keeper(std::shared_ptr<Store>(&store, [](Store*) {}));
  for (int i = 0; i < 2; ++i) {
    store.write(Draft("t", "1").value("a", "1", "x").metadata(R"({"run_id": "r"})"), {});
    store.write(Draft("t", "2").parent("1").value("a", "2", "y").require_latest_parent(), {});
    store.write(
        PutWrites{"t", "", "2", {pending("task", 0, "a", "x"), pending("task", -1, "e", "")}}, {});
    store.write(PutThread{"t", R"({"user": "u"})"}, {});
    EXPECT_TRUE(store.get({"t", "", {}, {}}, {}));
    CheckpointList list;
    list.thread_id = "t";
    EXPECT_EQ(store.list(list, {}).items.size(), 2U);
    EXPECT_EQ(store.history({"t", "", "2", {"a"}}, {}).size(), 1U);
    EXPECT_GE(store.threads({}, {}).items.size(), 1U);
    AppendMessages append;
    append.thread_id = "t";
    append.operation_id = "op";
    append.messages = {{"1", "user", "1", "{}"}, {"2", "user", "2", "{}"}};
    append.state = {{"k", StateChange::Kind::put, "1", {}}};
    store.write(append, {});
    store.write(UpdateMessage{"t", "1", "2", {}, {}}, {});
    store.write(PopMessages{"t", "", 1, "pop"}, {});
    const auto name = StateScope::named("n");
    store.write(ChangeState{name, {{"k", StateChange::Kind::put, "1", {}}}}, {});
    store.write(ChangeState{name, {{"k", StateChange::Kind::erase, "", {}}}}, {});
    MessageList messages;
    messages.thread_id = "t";
    EXPECT_EQ(store.messages(messages, {}).items.size(), 1U);
    EXPECT_TRUE(store.state({StateScope::of_thread("t"), "k"}, {}));
    store.write(CopyThread{"t", "copy"}, {});
    store.write(Prune{"copy"}, {});
    store.write(DeleteRuns{{"r"}}, {});
    store.write(DeleteThread{"t"}, {});
  }
}

class PostgresRoles : public SetupTest {
 protected:
  std::string granted(const std::string& name) {
    auto own = role(name);
    server().run("REVOKE ALL ON SCHEMA public FROM PUBLIC", database);
    psql(url, script(url, {"--role", name, "--grantee", name}));
    return own + "?schema=public";
  }
};

TEST_F(PostgresRoles, an_app_may_do_all_that_a_store_does_and_change_no_table) {
  setup();
  const auto app = granted("app");
  const auto store = open(app);
  use_all(*store);
  EXPECT_TRUE(store->ping({}).ok);
  RawDatabase session(app);
  for (const std::string sql :
       {"CREATE TABLE x ()", "ALTER TABLE checkpoints ADD x int", "DROP TABLE threadkeep_threads",
        "TRUNCATE checkpoints", "UPDATE checkpoint_blobs SET type = ''",
        "DELETE FROM threadkeep_migrations", "INSERT INTO checkpoint_migrations VALUES (10)"}) {
    EXPECT_THROW(session.run(sql), std::runtime_error) << sql;
  }
}

TEST_F(PostgresRoles, a_cron_may_look_and_delete_and_nothing_else) {
  setup();
  {
    const auto store = open(url);
    store->write(Draft("t", "1").value("a", "1", "x").metadata(R"({"run_id": "r"})"), {});
    store->write(Draft("t", "2").parent("1"), {});
    store->write(Draft("t", "3").parent("2"), {});
  }
  const auto cron = granted("cron");
  const auto store = open(cron);
  EXPECT_EQ(store->threads({}, {}).items.size(), 1U);
  EXPECT_EQ(store->stats({}, {}).entities.at(0).rows, 1U);
  EXPECT_EQ(store->write(DeleteRuns{{"r"}}, {}).changed, 1U);
  EXPECT_EQ(store->write(Prune{"t"}, {}).changed, 1U);
  EXPECT_EQ(store->write(DeleteThread{"t"}, {}).changed, 1U);
  const auto error = error_of([&] { store->write(Draft("u", "1"), {}); });
  EXPECT_EQ(error.code(), Code::denied);
  EXPECT_THROW(RawDatabase(cron).run("UPDATE checkpoints SET metadata = '{}'"), std::runtime_error);
}

TEST_F(PostgresRoles, a_migrator_may_set_up_and_the_app_then_use) {
  const auto migrator = granted("migrator");
  setup_at(migrator);
  const auto app = role("app");
  psql(migrator.substr(0, migrator.find('?')),
       script(migrator, {"--role", "app", "--grantee", "app"}));
  use_all(*open(app + "?schema=public"));
}

TEST_F(PostgresRoles, a_migrator_is_told_of_tables_that_it_does_not_own) {
  raw.run(langgraph_tables(8));
  role("migrator");
  const auto grants = script(url, {"--role", "migrator", "--grantee", "migrator"});
  EXPECT_TRUE(contains(psql(url, grants), "ALTER TABLE public.checkpoints OWNER TO migrator;"))
      << psql(url, grants);
}

TEST_F(PostgresRoles, may_have_any_name) {
  setup();
  server().run(
      "SELECT 'CREATE ROLE \"o''d\"\"d {schema}\" LOGIN' WHERE NOT EXISTS (SELECT FROM "
      "pg_roles WHERE rolname = 'o''d\"d {schema}') \\gexec");
  psql(url, script(url, {"--role", "app", "--grantee", "o'd\"d {schema}"}));
  EXPECT_EQ(raw.run("SELECT has_table_privilege($1, 'checkpoints', 'INSERT')", {"o'd\"d {schema}"}),
            Rows{"t"});
}

}  // namespace
}  // namespace threadkeep::postgres_test
