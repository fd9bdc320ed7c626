// SPDX-License-Identifier: Apache-2.0
// No output of any command ever holds a password: wherever it comes from, whatever goes wrong.
#include <fstream>
#include <threadkeep/threadkeep.hpp>

#include "command.hpp"
#include "threadkeep/testing/postgres_server.hpp"
#include "threadkeep/testing/redis_server.hpp"

namespace threadkeep {
namespace {

constexpr const char* canary = "canary7f3a";

/// How a command comes to know the URL.
enum class Way { option, environment, file, file_and_variable };

class Canary : public Cli {
 protected:
  static const std::vector<Arguments>& commands() {
    static const std::vector<Arguments> all = {{"setup"},
                                               {"setup", "--print-sql"},
                                               {"doctor"},
                                               {"stats"},
                                               {"threads", "list"},
                                               {"threads", "show", "ada"},
                                               {"threads", "history", "ada"},
                                               {"threads", "diff", "ada"},
                                               {"threads", "copy", "ada", "bob"},
                                               {"threads", "delete", "ada", "--yes"},
                                               {"threads", "delete", "ada"},
                                               {"threads", "list", "surplus"},
                                               {"messages", "list", "ada"},
                                               {"state", "get", "ada"},
                                               {"state", "get", "ada", "name"},
                                               {"retention", "install"},
                                               {"retention", "sweep", "--yes"},
                                               {"retention", "status"},
                                               {"retention", "schedule"},
                                               {"completion", "bash"},
                                               {"manual"},
                                               {"threads", "show", "--help"},
                                               {"nosuch"}};
    return all;
  }

  // Every command, and some by every way, for people and as JSON; whatever the exit status.
  void expect_hidden(const std::string& place) {
    for (const Way way : {Way::option, Way::environment, Way::file, Way::file_and_variable}) {
      const std::vector<Arguments> some = {{"setup"}, {"doctor"}, {"threads", "list"}};
      for (const auto& command : way == Way::option ? commands() : some) {
        expect_hidden(command, place, way);
        Arguments with_json = command;
        with_json.emplace_back("--json");
        expect_hidden(with_json, place, way);
      }
    }
  }

  void expect_hidden(Arguments command, const std::string& place, Way way) {
    const auto file = directory.path() / "threadkeep.yaml";
    const bool needs_store = command.front() != "completion" && command.front() != "manual";
    if (needs_store) command.insert(command.end(), {"--timeout", "5s"});
    switch (way) {
      case Way::option:
        if (needs_store) command.insert(command.end(), {"--url", place});
        break;
      case Way::environment:
        setenv("THREADKEEP_URL", place.c_str(), 1);
        break;
      case Way::file:
        std::ofstream(file) << "stores: {prod: {url: '" << place << "'}}\n";
        if (needs_store) command.insert(command.end(), {"--store", "prod"});
        setenv("THREADKEEP_CONFIG", file.c_str(), 1);
        break;
      case Way::file_and_variable:
        std::ofstream(file) << "url: ${CANARY_URL}\n";
        setenv("CANARY_URL", place.c_str(), 1);
        setenv("THREADKEEP_CONFIG", file.c_str(), 1);
        break;
    }
    command.insert(command.begin(), THREADKEEP_COMMAND);
    testing::Program program(command);
    program.wait();
    EXPECT_FALSE(contains(program.output(), canary))
        << ::testing::PrintToString(command) << ": " << program.output();
    for (const auto* name : {"THREADKEEP_URL", "THREADKEEP_CONFIG", "CANARY_URL"}) unsetenv(name);
  }

  const std::string secret = canary;
};

TEST_F(Canary, is_hidden_where_the_URL_is_wrong) {
  expect_hidden("postgresql://u:" + secret + "@h/db?nosuch=1");
  expect_hidden("postgresql://u:" + secret + "/" + secret + "@h/db");
  expect_hidden("nosuch://u:" + secret + "@h");
}

#ifdef THREADKEEP_TEST_POSTGRES
TEST_F(Canary, is_hidden_where_Postgres_cannot_be_reached) {
  expect_hidden("postgresql://u:" + secret + "@127.0.0.1:1/db");
}

TEST_F(Canary, is_hidden_where_Postgres_refuses_it_and_where_it_takes_it) {
  testing::PostgresServer server;
  server.run("CREATE ROLE guarded LOGIN PASSWORD '" + secret +
             "'; GRANT CREATE ON DATABASE store TO guarded; GRANT ALL ON SCHEMA public TO guarded");
  const std::string at = "@127.0.0.1:" + std::to_string(server.port()) + "/store";
  expect_hidden("postgresql://guarded:" + secret + at);
  expect_hidden("postgresql://nosuch:" + secret + at);
}
#endif

#ifdef THREADKEEP_TEST_REDIS
TEST_F(Canary, is_hidden_where_Redis_refuses_it_and_where_it_takes_it) {
  const testing::RedisServer server({.settings = {{"requirepass", canary}}});
  const std::string at = "@127.0.0.1:" + std::to_string(server.port()) + "/0";
  expect_hidden("redis://:" + secret + at);
  expect_hidden("redis://:wrong" + secret + at);
  expect_hidden("redis://:" + secret + "@127.0.0.1:1/0");
}
#endif

#if defined(THREADKEEP_TEST_POSTGRES) && defined(THREADKEEP_TEST_REDIS)
// Both URLs within the URL of a tiered store.
std::string tiered(const std::string& hot, const std::string& durable) {
  std::string url = "tiered:?hot=";
  for (const char c : hot + "&durable=" + durable) {
    const auto at = std::string_view(":/@").find(c);
    url += at == std::string_view::npos ? std::string(1, c)
                                        : std::vector<std::string>{"%3A", "%2F", "%40"}[at];
  }
  return url;
}

TEST_F(Canary, is_hidden_in_the_stores_of_a_tiered_one) {
  testing::PostgresServer postgres;
  postgres.run(
      "CREATE ROLE guarded LOGIN PASSWORD '" + secret +
      "'; GRANT CREATE ON DATABASE store TO guarded; GRANT ALL ON SCHEMA public TO guarded");
  const testing::RedisServer redis({.settings = {{"requirepass", canary}}});
  const std::string durable = "@127.0.0.1:" + std::to_string(postgres.port()) + "/store";
  const std::string hot = "@127.0.0.1:" + std::to_string(redis.port()) + "/0";
  expect_hidden(tiered("redis://:" + secret + hot, "postgresql://guarded:" + secret + durable));
  expect_hidden(
      tiered("redis://:wrong" + secret + hot, "postgresql://guarded:" + secret + durable));
  expect_hidden(
      tiered("redis://:" + secret + "@127.0.0.1:1/0", "postgresql://nosuch:" + secret + durable));
  expect_hidden(tiered("redis://:" + secret + hot, "postgresql://u:" + secret + "@h/db") +
                "&nosuch=1");
}
#endif

}  // namespace
}  // namespace threadkeep
