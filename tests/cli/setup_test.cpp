// SPDX-License-Identifier: Apache-2.0
// The threadkeep command: usage, exit statuses, output, and `threadkeep setup`.
#include <nlohmann/json.hpp>
#include <regex>

#include "command.hpp"
#include "threadkeep/testing/postgres_server.hpp"
#include "threadkeep/testing/redis_server.hpp"

namespace threadkeep {
namespace {

TEST_F(Cli, tells_its_version_and_its_commands) {
  EXPECT_EQ(run({"--version"}, done), "threadkeep " THREADKEEP_VERSION "\n");
  for (const auto* command : {"setup", "threads"}) {
    EXPECT_TRUE(contains(run({"--help"}, done), command));
  }
  const auto help = run({"setup", "--help"}, done);
  for (const auto* part : {"--print-sql", "--role", "--grantee", "--json", "--timeout",
                           "THREADKEEP_URL", "Examples:", "Exit status: 0"}) {
    EXPECT_TRUE(contains(help, part)) << part;
  }
}

TEST_F(Cli, refuses_wrong_usage) {
  const std::vector<Arguments> wrong = {
      {},
      {"destroy"},
      {"setup"},
      {"setup", "--url", url, "more"},
      {"setup", "--url", url, "--nosuch"},
      {"setup", "--url", url, "--timeout", "5"},
      {"setup", "--url", url, "--timeout", "soon"},
      {"setup", "--url", url, "--json", "--print-sql"},
      {"setup", "--url", url, "--role", "app", "--grantee", "x"},
      {"setup", "--url", url, "--print-sql", "--role", "app"},
      {"setup", "--url", url, "--print-sql", "--grantee", "x"},
      {"setup", "--url", url, "--print-sql", "--role", "king", "--grantee", "x"},
      {"setup", "--url", "nosuch:store"},
      {"setup", "--url", "no url"},
      {"setup", "--url", url + "?x=1"},
  };
  for (const auto& arguments : wrong) {
    const auto output = run(arguments, usage);
    EXPECT_FALSE(output.empty());
  }
}

#ifdef THREADKEEP_TEST_SQLITE
TEST_F(Cli, sets_a_store_up_and_says_so) {
  const auto output = run({"setup", "--url", url}, done);
  EXPECT_TRUE(contains(output, url + " is set up: SQLite")) << output;
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "threads.db"));
  EXPECT_EQ(run({"setup", "--url", url, "--timeout", "1m"}, done), output) << "again";
}

TEST_F(Cli, takes_the_store_from_the_environment) {
  setenv("THREADKEEP_URL", url.c_str(), 1);
  EXPECT_TRUE(contains(run({"setup"}, done), url + " is set up"));
  unsetenv("THREADKEEP_URL");
}

TEST_F(Cli, reports_as_JSON) {
  const auto report = nlohmann::json::parse(run({"setup", "--url", url, "--json"}, done));
  EXPECT_EQ(report.at("ok"), true);
  EXPECT_TRUE(contains(report.at("message").get<std::string>(), " is set up"));
  EXPECT_FALSE(report.contains("code"));
  const auto problem =
      nlohmann::json::parse(run({"setup", "--url", "sqlite:/nosuch/threads.db", "--json"}, failed));
  EXPECT_EQ(problem.at("ok"), false);
  EXPECT_EQ(problem.at("code"), "unavailable");
  EXPECT_TRUE(contains(problem.at("message").get<std::string>(), "/nosuch"));
}

TEST_F(Cli, fails_where_a_store_has_no_script) {
  EXPECT_TRUE(contains(run({"setup", "--url", url, "--print-sql"}, failed), "unsupported"));
}
#endif

#ifdef THREADKEEP_TEST_REDIS
TEST_F(Cli, fails_where_a_store_that_is_set_up_cannot_be_used) {
  const testing::RedisServer server(
      {.settings = {{"maxmemory", "100mb"}, {"maxmemory-policy", "allkeys-lru"}}});
  const auto output = run({"setup", "--url", server.url()}, failed);
  EXPECT_TRUE(contains(output, "is set up and cannot be used: ")) << output;
  EXPECT_TRUE(contains(output, "set noeviction")) << output;
  const auto report =
      nlohmann::json::parse(run({"setup", "--url", server.url(), "--json"}, failed));
  EXPECT_EQ(report.at("code"), "unusable");
}
#endif

#ifdef THREADKEEP_TEST_POSTGRES
TEST_F(Cli, fails_where_the_role_of_the_store_may_not_use_it) {
  auto& server = testing::PostgresServer::shared();
  const auto database = server.create_database();
  server.run("CREATE ROLE stranger LOGIN", database);
  const std::string owner = server.url(database);
  const auto at = owner.find('@');
  const std::string place = "postgresql://stranger" + owner.substr(at);
  const auto output =
      run({"setup", "--url", place + (contains(place, "?") ? "&" : "?") + "direct_url=" + owner},
          failed);
  EXPECT_TRUE(contains(output, "is set up and cannot be used: ")) << output;
  EXPECT_TRUE(contains(output, "denied")) << output;
}

TEST_F(Cli, prints_SQL_without_a_server) {
  const auto script = run({"setup", "--url", "postgresql:///nosuch?schema=s", "--print-sql"}, done);
  EXPECT_TRUE(contains(script, "CREATE TABLE IF NOT EXISTS :\"schema\".threadkeep_threads"));
  EXPECT_TRUE(contains(script, "SELECT 's' AS schema"));
  EXPECT_FALSE(std::regex_search(script, std::regex("\\{[a-z]"))) << "a name of a template is left";
  const auto rights = run({"setup", "--url", "postgresql:///nosuch", "--print-sql", "--role", "app",
                           "--grantee", "a\"b"},
                          done);
  EXPECT_TRUE(contains(rights, "GRANT USAGE ON SCHEMA")) << rights;
  EXPECT_TRUE(contains(rights, "'a\"b' AS grantee")) << rights;
}

TEST_F(Cli, never_prints_a_password) {
  const std::string canary = "canary7f3a";
  const std::string place = "postgresql://u:" + canary + "@127.0.0.1:1/db";
  const std::vector<std::pair<Arguments, int>> calls = {
      {{"setup", "--url", place}, failed},
      {{"setup", "--url", place, "--json"}, failed},
      {{"setup", "--url", place + "?pool_size=x"}, usage},
      {{"setup", "--url", place + "?sslpassword=" + canary + "&nosuch=1"}, usage},
      {{"setup", "--url", "postgresql://127.0.0.1:1/db?direct_url=" + place}, failed},
      {{"setup", "--url", place, "--print-sql"}, done},
      {{"setup", "--url", place, "more"}, usage},
  };
  for (const auto& [arguments, status] : calls) {
    EXPECT_FALSE(contains(run(arguments, status), canary)) << arguments.at(2);
  }
}
#endif

}  // namespace
}  // namespace threadkeep
