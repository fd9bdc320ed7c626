// SPDX-License-Identifier: Apache-2.0
// Commands that look at a store never make one: a mistyped URL is an error that names the place.
#include <fstream>
#include <functional>
#include <threadkeep/threadkeep.hpp>

#include "command.hpp"
#include "postgres_backends.hpp"
#include "threadkeep/testing/redis_server.hpp"

namespace threadkeep {
namespace {

const std::vector<Arguments>& commands() {
  static const std::vector<Arguments> all = {{"doctor"},
                                             {"stats"},
                                             {"threads", "list"},
                                             {"threads", "show", "ada"},
                                             {"threads", "history", "ada"},
                                             {"threads", "diff", "ada"},
                                             {"threads", "copy", "ada", "bob"},
                                             {"threads", "delete", "ada", "--yes"},
                                             {"messages", "list", "ada"},
                                             {"state", "get", "ada"}};
  return all;
}

// All but setup refuse, and mention `place`; `is_absent` holds until setup.
void expect_refused(const std::string& url, const std::string& place,
                    const std::function<bool()>& is_absent) {
  for (auto command : commands()) {
    const std::string name = command.back();
    command.insert(command.end(), {"--url", url});
    const auto output = run(command, failed);
    EXPECT_TRUE(contains(output, "there is no store")) << name << ": " << output;
    EXPECT_TRUE(contains(output, place)) << name << ": " << output;
    EXPECT_TRUE(contains(output, "`threadkeep setup`")) << name << ": " << output;
    EXPECT_TRUE(is_absent()) << name;
  }
  run({"setup", "--url", url}, done);
  EXPECT_FALSE(is_absent());
  run({"threads", "list", "--url", url}, done);
}

#ifdef THREADKEEP_TEST_SQLITE
TEST_F(Cli, makes_no_file_where_there_is_none) {
  expect_refused(url, "threads.db", [&] { return std::filesystem::is_empty(directory.path()); });
}

TEST_F(Cli, makes_no_store_of_an_empty_file) {
  const auto path = directory.path() / "threads.db";
  std::ofstream(path).close();
  expect_refused(url, "threads.db", [&] { return std::filesystem::file_size(path) == 0; });
}

TEST_F(Cli, makes_no_directory) {
  const auto output = run({"doctor", "--url", "sqlite:/nosuch/place/threads.db"}, failed);
  EXPECT_TRUE(contains(output, "there is no store in '/nosuch/place/threads.db'")) << output;
}

// A store that is opened for looking can be set up and used by the same program.
TEST_F(Cli, a_store_opened_to_look_is_made_by_setup_only) {
  Environment environment = Environment::system();
  environment.first_use = FirstUse::refuses;
  Store store(Registry::builtin().open(url, environment));
  EXPECT_THROW(store.write(PutThread{"ada", "{}"}, {}), Error);
  EXPECT_FALSE(store.ping({}).ok);
  store.setup({});
  EXPECT_EQ(store.write(PutThread{"ada", "{}"}, {}).changed, 1U);
}
#endif

#ifdef THREADKEEP_TEST_POSTGRES
TEST_F(Cli, makes_no_schema_where_there_is_none) {
  auto& server = testing::PostgresServer::shared();
  const auto database = server.create_database();
  const std::string owner = server.url(database);
  const std::string place = owner + (contains(owner, "?") ? "&" : "?") + "schema=mistyped";
  expect_refused(place, "schema \"mistyped\"", [&] {
    return contains(
        server.run("SELECT count(*) FROM pg_namespace WHERE nspname = 'mistyped'", database), "0");
  });
}

TEST_F(Cli, adds_no_table_to_those_of_LangGraph) {
  auto& server = testing::PostgresServer::shared();
  const auto database = server.create_database();
  testing::run_program({"psql", "-q", "-d", server.url(database), "-c", testing::langgraph_tables});
  const auto output = run({"threads", "list", "--url", server.url(database)}, failed);
  EXPECT_TRUE(contains(output, "tables of LangGraph's saver")) << output;
  EXPECT_TRUE(contains(output, "run `threadkeep setup`")) << output;
  EXPECT_TRUE(contains(
      server.run("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'threadkeep%'", database),
      "0"));
  run({"setup", "--url", server.url(database)}, done);
  run({"threads", "list", "--url", server.url(database)}, done);
}
#endif

#ifdef THREADKEEP_TEST_REDIS
TEST_F(Cli, makes_no_key_where_there_is_none) {
  const auto& server = testing::RedisServer::shared();
  expect_refused(server.url("prefix=mistyped"), "prefix 'mistyped'", [&] {
    return server.run({"EXISTS", "mistyped:{meta}"}) == "0";
  });
}
#endif

}  // namespace
}  // namespace threadkeep
