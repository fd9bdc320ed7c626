// SPDX-License-Identifier: Apache-2.0
// The threadkeep command: usage, exit statuses, output.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <regex>

#include "program.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep {
namespace {

using testing::Program;
using testing::run_program;
using Arguments = std::vector<std::string>;

constexpr int done = 0;
constexpr int failed = 1;
constexpr int usage = 2;

std::string run(Arguments arguments, int status) {
  arguments.insert(arguments.begin(), THREADKEEP_COMMAND);
  return run_program(arguments, status);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

class Cli : public ::testing::Test {
 protected:
  Cli() { unsetenv("THREADKEEP_URL"); }

  testing::TemporaryDirectory directory;
  const std::string url = "sqlite:" + (directory.path() / "threads.db").string();
};

TEST_F(Cli, tells_its_version_and_its_commands) {
  EXPECT_EQ(run({"--version"}, done), "threadkeep " THREADKEEP_VERSION "\n");
  EXPECT_TRUE(contains(run({"--help"}, done), "setup"));
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
      {"setup", url, "more"},
      {"setup", url, "--nosuch"},
      {"setup", url, "--timeout", "5"},
      {"setup", url, "--timeout", "soon"},
      {"setup", url, "--json", "--print-sql"},
      {"setup", url, "--role", "app", "--grantee", "x"},
      {"setup", url, "--print-sql", "--role", "app"},
      {"setup", url, "--print-sql", "--grantee", "x"},
      {"setup", url, "--print-sql", "--role", "king", "--grantee", "x"},
      {"setup", "nosuch:store"},
      {"setup", "no url"},
      {"setup", url + "?x=1"},
  };
  for (const auto& arguments : wrong) {
    const auto output = run(arguments, usage);
    EXPECT_FALSE(output.empty());
  }
}

#ifdef THREADKEEP_TEST_SQLITE
TEST_F(Cli, sets_a_store_up_and_says_so) {
  const auto output = run({"setup", url}, done);
  EXPECT_TRUE(contains(output, url + " is set up: SQLite")) << output;
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "threads.db"));
  EXPECT_EQ(run({"setup", url, "--timeout", "1m"}, done), output) << "again";
}

TEST_F(Cli, takes_the_store_from_the_environment) {
  setenv("THREADKEEP_URL", url.c_str(), 1);
  EXPECT_TRUE(contains(run({"setup"}, done), url + " is set up"));
  unsetenv("THREADKEEP_URL");
}

TEST_F(Cli, reports_as_JSON) {
  const auto report = nlohmann::json::parse(run({"setup", url, "--json"}, done));
  EXPECT_EQ(report.at("ok"), true);
  EXPECT_TRUE(contains(report.at("message").get<std::string>(), " is set up"));
  EXPECT_FALSE(report.contains("code"));
  const auto problem =
      nlohmann::json::parse(run({"setup", "sqlite:/nosuch/threads.db", "--json"}, failed));
  EXPECT_EQ(problem.at("ok"), false);
  EXPECT_EQ(problem.at("code"), "unavailable");
  EXPECT_TRUE(contains(problem.at("message").get<std::string>(), "/nosuch"));
}

TEST_F(Cli, fails_where_a_store_has_no_script) {
  EXPECT_TRUE(contains(run({"setup", url, "--print-sql"}, failed), "unsupported"));
}
#endif

#ifdef THREADKEEP_TEST_POSTGRES
TEST_F(Cli, prints_SQL_without_a_server) {
  const auto script = run({"setup", "postgresql:///nosuch?schema=s", "--print-sql"}, done);
  EXPECT_TRUE(contains(script, "CREATE TABLE IF NOT EXISTS :\"schema\".threadkeep_threads"));
  EXPECT_TRUE(contains(script, "SELECT 's' AS schema"));
  EXPECT_FALSE(std::regex_search(script, std::regex("\\{[a-z]"))) << "a name of a template is left";
  const auto rights = run(
      {"setup", "postgresql:///nosuch", "--print-sql", "--role", "app", "--grantee", "a\"b"}, done);
  EXPECT_TRUE(contains(rights, "GRANT USAGE ON SCHEMA")) << rights;
  EXPECT_TRUE(contains(rights, "'a\"b' AS grantee")) << rights;
}

TEST_F(Cli, never_prints_a_password) {
  const std::string canary = "canary7f3a";
  const std::string place = "postgresql://u:" + canary + "@127.0.0.1:1/db";
  const std::vector<std::pair<Arguments, int>> calls = {
      {{"setup", place}, failed},
      {{"setup", place, "--json"}, failed},
      {{"setup", place + "?pool_size=x"}, usage},
      {{"setup", place + "?sslpassword=" + canary + "&nosuch=1"}, usage},
      {{"setup", "postgresql://127.0.0.1:1/db?direct_url=" + place}, failed},
      {{"setup", place, "--print-sql"}, done},
      {{"setup", place, "more"}, usage},
  };
  for (const auto& [arguments, status] : calls) {
    EXPECT_FALSE(contains(run(arguments, status), canary)) << arguments.at(1);
  }
}
#endif

// The page for operators says of every option what the program has, and no more.
TEST_F(Cli, is_described_as_it_is) {
  std::ifstream file(OPERATION_PAGE);
  const std::string page(std::istreambuf_iterator<char>(file), {});
  const auto help = run({"setup", "--help"}, done);
  for (std::size_t at = help.find("--"); at != std::string::npos; at = help.find("--", at + 2)) {
    const auto end = help.find_first_of(" ,\n`", at);
    const auto option = help.substr(at, end - at);
    EXPECT_TRUE(contains(page, "`" + option)) << option << " is not in docs/operation/cli.md";
  }
  for (std::size_t at = page.find("`--"); at != std::string::npos; at = page.find("`--", at + 3)) {
    const auto end = page.find_first_of(" `=", at + 1);
    const auto option = page.substr(at + 1, end - at - 1);
    EXPECT_TRUE(contains(help, option)) << option << " is only in docs/operation/cli.md";
  }
}

}  // namespace
}  // namespace threadkeep
