// SPDX-License-Identifier: Apache-2.0
// threadkeep migrate-tier rollback, with real databases.
#include <nlohmann/json.hpp>
#include <sstream>

#include "migrate_fixture.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep {
namespace {

using json = nlohmann::json;

std::string run_in(const std::string& printed) {
  for (const std::string words : {"[migrate-tier] Run ", "[migrate-tier] Goes on with run "}) {
    const auto at = printed.find(words);
    if (at != std::string::npos) {
      return printed.substr(at + words.size(), printed.find('\n', at) - at - words.size());
    }
  }
  ADD_FAILURE() << printed;
  return {};
}

class MigrateRollback : public Migrate {
 protected:
  Arguments command(const std::string& id, const Arguments& more) const {
    Arguments all = {"migrate-tier", "rollback", "--run", id, "--target-url", server().url(target)};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::string roll_back(const std::string& id, const Arguments& more, int status = done) const {
    return run(command(id, more), status);
  }
  static std::string rows_of_all(const std::string& database) {
    std::string text = "SELECT 0";
    for (const auto& table : copied_tables()) text += " + (SELECT count(*) FROM " + table + ")";
    return sql(database, text);
  }
};

TEST_F(MigrateRollback, deletes_what_a_run_has_put_in) {
  const auto id = run_in(migrate({"--yes", "--row-log"}));
  const auto before = contents(target);
  const auto dry = roll_back(id, {"--dry-run"});
  EXPECT_TRUE(
      contains(dry, "DRY-RUN COMPLETE (no data deleted). 8603 total rows would be deleted."))
      << dry;
  EXPECT_EQ(contents(target), before);
  EXPECT_TRUE(contains(roll_back(id, {}, usage), "say --yes"));
  const auto printed = roll_back(id, {"--yes", "--batch-rows", "700"});
  EXPECT_TRUE(contains(printed, "COMPLETE. 8603 rows deleted\n")) << printed;
  EXPECT_LT(printed.find("tickets: 30 rows deleted"), printed.find("tasks: 3000 rows deleted"));
  EXPECT_LT(printed.find("tasks: 3000 rows deleted"), printed.find("missions: 50 rows deleted"));
  EXPECT_EQ(rows_of_all(target), "0\n");
  EXPECT_EQ(sql(target, "SELECT count(*) FROM threadkeep_tier_rows"), "0\n");
  EXPECT_TRUE(contains(roll_back(id, {"--yes"}, usage), "it knows none at all"));
  EXPECT_TRUE(contains(migrate({"--yes"}), "target is empty"));
  EXPECT_EQ(contents(target), contents(source));
}

TEST_F(MigrateRollback, leaves_what_others_have_changed_and_lists_what_the_run_has) {
  sql(target, "INSERT INTO events (id, name) VALUES (7, 'was there'), (9000, 'of the target')");
  const auto id = run_in(migrate({"--yes", "--row-log", "--allow-non-empty"}));
  sql(target,
      "UPDATE events SET name = 'changed' WHERE id = 8; DELETE FROM events WHERE id = 9;"
      "INSERT INTO skills VALUES ('new')");
  const auto dry = roll_back(id, {"--dry-run"});
  EXPECT_TRUE(contains(dry,
                       "events: 497 rows to delete, 1 changed by others stay, 1 gone already, "
                       "1 that the run has changed stay"))
      << dry;
  EXPECT_TRUE(contains(dry, "Stays: events (7) was changed by the run\n")) << dry;
  EXPECT_TRUE(contains(dry, "Stays: events (8) was changed by others since\n")) << dry;
  EXPECT_TRUE(contains(roll_back(id, {"--yes"}, failed), "1 row changed by others stay"));
  EXPECT_EQ(sql(target, "SELECT id, name FROM events ORDER BY id"),
            "7|e7\n8|changed\n9000|of the target\n");
  EXPECT_EQ(sql(target, "SELECT name FROM skills"), "new\n");
  // What stays can be looked at again, and deleted by hand.
  sql(target, "DELETE FROM events WHERE id = 8");
  EXPECT_TRUE(contains(roll_back(id, {"--yes"}), "COMPLETE. 0 rows deleted"));
}

TEST_F(MigrateRollback, tells_what_is_changed_while_it_deletes) {
  const auto id = run_in(migrate({"--yes", "--row-log"}));
  sql(target,
      "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN UPDATE events SET name = 'changed' WHERE id = 8; RETURN NULL; END $$;"
      "CREATE TRIGGER change AFTER DELETE ON tasks EXECUTE FUNCTION change()");
  const auto printed = roll_back(id, {"--yes"}, failed);
  EXPECT_TRUE(contains(printed, "Stays: events (8) was changed by others since\n")) << printed;
  EXPECT_TRUE(contains(printed, "1 row changed by others stay")) << printed;
  EXPECT_EQ(sql(target, "SELECT id, name FROM events"), "8|changed\n");
  sql(target, "DELETE FROM events");
  EXPECT_TRUE(contains(roll_back(id, {"--yes"}), "COMPLETE. 0 rows deleted"));
}

TEST_F(MigrateRollback, refuses_where_other_rows_refer_to_those_of_the_run) {
  const auto id = run_in(migrate({"--yes", "--row-log"}));
  sql(target,
      "CREATE SCHEMA other; CREATE TABLE other.notes (id int, user_id uuid REFERENCES public.users "
      "ON DELETE CASCADE); INSERT INTO other.notes SELECT 1, id FROM users LIMIT 1;"
      "INSERT INTO missions (agent_id) VALUES (3), (4);"
      "UPDATE tickets SET valid = NULL WHERE id = 5");
  const auto before = contents(target);
  const auto printed = roll_back(id, {"--yes"}, usage);
  EXPECT_TRUE(contains(printed,
                       "1 row of other.notes.user_id that would stay refers to rows of "
                       "\"users\""))
      << printed;
  EXPECT_TRUE(contains(printed,
                       "2 rows of missions.agent_id that would stay refer to rows of "
                       "\"agents\""))
      << printed;
  EXPECT_TRUE(contains(printed, "1 row of tickets.task_id that would stay refers")) << printed;
  EXPECT_EQ(contents(target), before);
  EXPECT_EQ(sql(target, "SELECT count(*) FROM other.notes"), "1\n");
}

TEST_F(MigrateRollback, needs_a_run_that_has_noted_its_rows) {
  const auto id = run_in(migrate({"--yes"}));
  EXPECT_TRUE(
      contains(roll_back(id, {"--yes"}, usage), "only a run with --row-log can be rolled back"));
  EXPECT_TRUE(contains(roll_back("nosuchrun", {"--yes"}, usage), "it knows " + id));
  EXPECT_EQ(contents(target), contents(source));
}

TEST_F(MigrateRollback, goes_on_after_the_network_was_cut) {
  const auto id = run_in(migrate({"--yes", "--row-log"}));
  testing::TcpProxy proxy(server().port());
  Arguments cut = command(id, {"--dry-run", "--batch-rows", "50"});
  cut[5] = proxy.in_front_of(server().url(target));
  run(cut, done);
  // Among the batches: rows are looked at once more under the lock.
  proxy.cut_after(testing::TcpProxy::Direction::to_server, 2 * proxy.counts().to_server + 20'000);
  cut[6] = "--yes";
  const auto printed = run(cut, interrupted);
  EXPECT_TRUE(contains(printed, "the same command goes on from here")) << printed;
  EXPECT_NE(rows_of_all(target), "0\n");
  EXPECT_NE(contents(target), contents(source));
  roll_back(id, {"--yes"});
  EXPECT_EQ(rows_of_all(target), "0\n");
}

TEST_F(MigrateRollback, takes_back_a_run_that_was_interrupted) {
  testing::TcpProxy proxy(server().port());
  proxy.cut_after(testing::TcpProxy::Direction::to_server, 400'000);
  const auto printed = run(
      to(proxy.in_front_of(server().url(target)), arguments({"--yes", "--row-log"})), interrupted);
  EXPECT_NE(rows_of_all(target), "0\n");
  // It goes on only as it began.
  EXPECT_TRUE(contains(migrate({"--yes"}, usage), "it had other tables, columns or options"));
  roll_back(run_in(printed), {"--yes"});
  EXPECT_EQ(rows_of_all(target), "0\n");
  EXPECT_FALSE(contains(migrate({"--yes"}), "Goes on with"));
}

TEST_F(MigrateRollback, knows_names_in_quotes_and_all_kinds_of_keys) {
  const std::string odd =
      "CREATE SCHEMA odd; SET search_path = odd;"
      "CREATE TABLE \"t\" (\"t\" text, \"B c\" numeric(10,2), at timestamptz, d char(3), x text,"
      " PRIMARY KEY (\"B c\", at, d));"
      "CREATE TABLE \"Select {rows}\" (\"{key}\" float8 PRIMARY KEY, at timestamptz, b "
      "numeric(10,2),"
      " d char(3), FOREIGN KEY (b, at, d) REFERENCES t);"
      "CREATE TABLE nodes (id int PRIMARY KEY, next int NOT NULL REFERENCES nodes);"
      "CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL); CREATE TABLE b (id int PRIMARY KEY, a "
      "int "
      "NOT NULL REFERENCES a DEFERRABLE);"
      "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE;"
      "CREATE TABLE parts (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
      "CREATE TABLE parts_old (at date NOT NULL, id int NOT NULL);"
      "ALTER TABLE parts ATTACH PARTITION parts_old FOR VALUES FROM (MINVALUE) TO ('2026-01-01');"
      "CREATE TABLE parts_new PARTITION OF parts DEFAULT;";
  sql(source,
      odd +
          "INSERT INTO t SELECT 'x', n / 3.0, '2026-01-01 00:00:00.000123Z', 'a', repeat('x', "
          "n) FROM generate_series(1, 9) n;"
          "INSERT INTO \"Select {rows}\" SELECT 0.1 + row_number() OVER (), at, \"B c\", d FROM t, "
          "generate_series(1, 3) n;"
          "INSERT INTO nodes SELECT n, 1 + n % 10 FROM generate_series(1, 10) n;"
          "BEGIN; SET CONSTRAINTS ALL DEFERRED; INSERT INTO a VALUES (1, 2); INSERT INTO b "
          "VALUES (2, 1); COMMIT;"
          "INSERT INTO parts SELECT n, '2025-12-20'::date + n FROM generate_series(1, 20) n");
  sql(target, odd);
  const std::string counts =
      "SET search_path = odd;"
      "SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM \"Select {rows}\"),"
      " (SELECT count(*) FROM nodes), (SELECT count(*) FROM a), (SELECT count(*) FROM b),"
      " (SELECT count(*) FROM parts)";
  const std::string place = server().url(target) + "?schema=odd";
  const auto id =
      run_in(run(from(server().url(source) + "?schema=odd",
                      to(place, arguments({"--yes", "--row-log", "--batch-rows", "3"}))),
                 done));
  EXPECT_EQ(sql(target, counts), "9|27|10|1|1|20\n");
  Arguments back = command(id, {"--yes", "--batch-rows", "3"});
  back[5] = place;
  run(back, done);
  EXPECT_EQ(sql(target, counts), "0|0|0|0|0|0\n");
}

TEST_F(MigrateRollback, tells_programs_what_happens) {
  sql(target, "INSERT INTO events (id, name) VALUES (7, 'was there')");
  const auto id = run_in(migrate({"--yes", "--row-log", "--allow-non-empty"}));
  std::istringstream lines(roll_back(id, {"--yes", "--json"}));
  std::vector<std::string> events;
  json stays;
  for (std::string line; std::getline(lines, line);) {
    const auto event = json::parse(line);
    events.push_back(event.at("event"));
    if (events.back() == "stays") stays = event;
  }
  EXPECT_EQ(events.front(), "target");
  EXPECT_EQ(events.back(), "complete");
  EXPECT_EQ(
      stays,
      (json{{"event", "stays"}, {"table", "events"}, {"key", "7"}, {"updated_by_run", true}}));
}

class MigrateRollbackFile : public MigrateRollback {
 protected:
  MigrateRollbackFile() {
    shell("PRAGMA foreign_keys = ON;" + std::string(tables));
    sql(source, "CREATE SCHEMA small;" + std::string("SET search_path = small;") +
                    "CREATE TABLE owners (id int PRIMARY KEY, name text COLLATE \"C\", boss int);"
                    "CREATE TABLE things (code text PRIMARY KEY, owner int);"
                    "CREATE TABLE logs (line text);"
                    "INSERT INTO owners SELECT n, 'o' || n, CASE WHEN n <> 3 THEN 1 + n % 5 END "
                    "FROM generate_series(1, 50) n;"
                    "INSERT INTO things SELECT E'c\\t' || n, n FROM generate_series(1, 50) n;"
                    "INSERT INTO logs SELECT 'same' FROM generate_series(1, 7)");
  }
  std::string shell(const std::string& text) const {
    return testing::run_program({"sqlite3", in_directory("app.db"), text});
  }
  std::string copy(const Arguments& more) const {
    Arguments all = {"migrate-tier",
                     "--from",
                     server().url(source) + "?schema=small",
                     "--to",
                     "local",
                     "--target-url",
                     file,
                     "--yes",
                     "--batch-rows",
                     "7"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, done);
  }
  std::string take_back(const std::string& id, int status,
                        const Arguments& more = {"--yes"}) const {
    Arguments all = {"migrate-tier", "rollback", "--run",        id,
                     "--target-url", file,       "--batch-rows", "7"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, status);
  }
  std::string counts() const {
    return shell(
        "SELECT (SELECT count(*) FROM owners), (SELECT count(*) FROM things), (SELECT count(*) "
        "FROM "
        "logs)");
  }

  static constexpr const char* tables =
      "CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT, boss INTEGER REFERENCES owners);"
      "CREATE TABLE things (code TEXT PRIMARY KEY NOT NULL, owner INTEGER REFERENCES owners "
      "ON DELETE CASCADE) WITHOUT ROWID; CREATE TABLE logs (line TEXT);";
  const std::string file = "sqlite:" + in_directory("app.db");
};

TEST_F(MigrateRollbackFile, deletes_what_a_run_has_put_in) {
  const auto id = run_in(copy({"--row-log"}));
  EXPECT_EQ(counts(), "50|50|7\n");
  EXPECT_TRUE(contains(take_back(id, done, {"--dry-run"}), "107 total rows would be deleted"));
  EXPECT_EQ(counts(), "50|50|7\n");
  EXPECT_TRUE(contains(take_back(id, done), "COMPLETE. 107 rows deleted"));
  EXPECT_EQ(counts(), "0|0|0\n");
  EXPECT_TRUE(contains(take_back(id, usage), "it knows none at all"));
}

TEST_F(MigrateRollbackFile, leaves_what_others_have_changed) {
  shell("INSERT INTO owners VALUES (3, 'was there', NULL), (99, 'of the target', NULL)");
  const auto id = run_in(copy({"--row-log", "--allow-non-empty"}));
  shell("UPDATE things SET owner = 99 WHERE owner = 9");
  const auto printed = take_back(id, failed);
  EXPECT_TRUE(contains(printed, "Stays: owners (3) was changed by the run")) << printed;
  EXPECT_TRUE(contains(printed, "was changed by others since")) << printed;
  EXPECT_EQ(shell("SELECT id, name FROM owners ORDER BY id"), "3|o3\n99|of the target\n");
  EXPECT_EQ(counts(), "2|1|0\n");
}

TEST_F(MigrateRollbackFile, refuses_where_other_rows_refer_to_those_of_the_run) {
  const auto id = run_in(copy({"--row-log"}));
  shell("INSERT INTO things VALUES ('new', 9)");
  const auto printed = take_back(id, usage);
  EXPECT_TRUE(contains(printed, "1 row of things.owner that would stay refers")) << printed;
  EXPECT_EQ(counts(), "50|51|7\n");
}

}  // namespace
}  // namespace threadkeep
