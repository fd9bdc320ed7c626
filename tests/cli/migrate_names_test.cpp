// SPDX-License-Identifier: Apache-2.0
// Tables and columns whose names mean something to SQL, to a shell or to a file system are copied,
// verified and taken back as any other; nothing of them is run.
#include <fstream>
#include <string>
#include <vector>

#include "command.hpp"
#include "threadkeep/testing/postgres_server.hpp"

namespace threadkeep {
namespace {

std::string doubled(std::string text, char quote) {
  for (std::size_t at = 0; (at = text.find(quote, at)) != std::string::npos; at += 2) {
    text.insert(at, 1, quote);
  }
  return quote + text + quote;
}
std::string name(const std::string& text) {
  return doubled(text, '"');
}
std::string value(const std::string& text) {
  return doubled(text, '\'');
}

const std::vector<std::string>& hostile() {
  static const std::vector<std::string> names = {"first",
                                                 "a\"b",
                                                 "it's",
                                                 "x\"; DROP TABLE canary; --",
                                                 "x'; DROP TABLE canary; --",
                                                 "$1 %s {} \\",
                                                 "select",
                                                 "../../x",
                                                 "two\nlines",
                                                 "\x1b[2J",
                                                 "ünï; $(touch canary)"};
  return names;
}

// A table of each name, with a column of that name and a reference to the first.
std::string tables() {
  std::string all = "CREATE TABLE canary (id integer PRIMARY KEY);\n";
  for (const auto& each : hostile()) {
    all += "CREATE TABLE " + name(each) + " (" + name("id" + each) + " integer PRIMARY KEY, " +
           name(each) + " text, up integer REFERENCES " + name("first") + ");\n";
  }
  return all;
}

std::string rows() {
  std::string all;
  for (const auto& each : hostile()) {
    all += "INSERT INTO " + name(each) + " VALUES (1, " + value(each) + ", 1), (2, NULL, NULL);\n";
  }
  return all;
}

std::string read_all() {
  std::string all;
  for (const auto& each : hostile()) {
    all += "SELECT * FROM " + name(each) + " ORDER BY 1;\n";
  }
  return all + "SELECT count(*) FROM canary;\n";
}

class HostileNames : public Cli {
 protected:
  static testing::PostgresServer& server() { return testing::PostgresServer::shared(); }
  static std::string postgres(const std::string& database, const std::string& text) {
    return server().run("SET ROLE threadkeep;\n" + text, database);
  }
  std::string sqlite(const std::string& file, const std::string& text) const {
    const auto script = directory.path() / "script.sql";
    std::ofstream(script) << text;
    return testing::run_program(
        {"sh", "-c", "exec sqlite3 \"$1\" < \"$2\"", "sh", directory.path() / file, script}, done);
  }
  std::string at(const std::string& file) const {
    return "sqlite:" + (directory.path() / file).string();
  }
  std::string tier(const Arguments& more, const std::string& from, const std::string& tier_name,
                   const std::string& to) const {
    Arguments all = {"migrate-tier"};
    all.insert(all.end(), more.begin(), more.end());
    all.insert(all.end(), {"--from", from, "--to", tier_name, "--target-url", to});
    return run(all, done);
  }
  void expect_copied(const std::string& from, const std::string& tier_name, const std::string& to) {
    const auto printed = tier({"--yes"}, from, tier_name, to);
    EXPECT_TRUE(contains(printed, "COMPLETE. 22 rows migrated")) << printed;
    EXPECT_FALSE(contains(printed, "\x1b")) << "for the terminal";
    const auto refused = run(
        {"migrate-tier", "--yes", "--from", from, "--to", tier_name, "--target-url", to}, usage);
    EXPECT_TRUE(contains(refused, "the target is not empty")) << refused;
    EXPECT_FALSE(contains(refused, "\x1b")) << "for the terminal";
    const auto again = tier({"--yes", "--allow-non-empty"}, from, tier_name, to);
    EXPECT_TRUE(contains(again, "COMPLETE. 22 rows migrated (22 unchanged)")) << again;
    tier({"verify"}, from, tier_name, to);
  }
};

TEST_F(HostileNames, go_from_postgres_to_postgres) {
  const auto source = server().create_database();
  const auto target = server().create_database();
  postgres(source, tables() + rows());
  postgres(target, tables());
  expect_copied(server().url(source), "standalone", server().url(target));
  EXPECT_EQ(postgres(target, read_all()), postgres(source, read_all()));
}

TEST_F(HostileNames, are_taken_back) {
  const auto source = server().create_database();
  const auto target = server().create_database();
  postgres(source, tables() + rows());
  postgres(target, tables());
  tier({"--yes", "--row-log"}, server().url(source), "standalone", server().url(target));
  auto id = postgres(target, "SELECT id FROM threadkeep_tier_runs");
  id.pop_back();
  const Arguments back = {"migrate-tier", "rollback",           "--run", id,
                          "--target-url", server().url(target), "--yes"};
  EXPECT_TRUE(contains(run(back, done), "COMPLETE. 22 rows deleted"));
  postgres(target, "SELECT * FROM canary");
}

TEST_F(HostileNames, go_from_postgres_to_sqlite) {
  const auto source = server().create_database();
  postgres(source, tables() + rows());
  sqlite("to.db", tables());
  expect_copied(server().url(source), "local", at("to.db"));
  EXPECT_EQ(sqlite("to.db", read_all()), postgres(source, read_all()));
}

TEST_F(HostileNames, go_from_sqlite_to_postgres) {
  const auto target = server().create_database();
  sqlite("from.db", tables() + rows());
  postgres(target, tables());
  expect_copied(at("from.db"), "standalone", server().url(target));
  EXPECT_EQ(postgres(target, read_all()), sqlite("from.db", read_all()));
}

// The name of a database and of a schema, in a URL.
TEST_F(HostileNames, of_a_database_and_a_schema_are_only_names) {
  const std::string database = "d\"'; DROP DATABASE store; -- ?&#/";
  const std::string escaped = "d%22%27%3B%20DROP%20DATABASE%20store%3B%20--%20%3F%26%23%2F";
  const std::string schema = "s%22%27%3B%20DROP%20TABLE%20x%3B--%20%25%26%23";
  server().run("CREATE DATABASE " + name(database) + " OWNER threadkeep");
  auto place = server().url("placeholder");
  place.replace(place.find("placeholder"), 11, escaped);
  place += (contains(place, "?") ? "&schema=" : "?schema=") + schema;
  run({"setup", "--url", place}, done);
  run({"threads", "list", "--url", place}, done);
  // The tool that runs SQL here does not take such a name.
  server().run("ALTER DATABASE " + name(database) + " RENAME TO tame");
  EXPECT_EQ(server().run("SELECT count(*) FROM pg_namespace WHERE nspname = "
                         "'s\"''; DROP TABLE x;-- %&#'",
                         "tame"),
            "1\n");
  server().run("DROP DATABASE tame");
}

}  // namespace
}  // namespace threadkeep
