// SPDX-License-Identifier: Apache-2.0
// `threadkeep stats`, as a person or a script runs it.
#include <nlohmann/json.hpp>
#include <threadkeep/threadkeep.hpp>

#include "command.hpp"
#include "threadkeep/testing/draft.hpp"
#include "threadkeep/testing/postgres_server.hpp"
#include "threadkeep/testing/redis_server.hpp"

namespace threadkeep {
namespace {

using Json = nlohmann::json;

void fill(const std::string& url) {
  const auto store = open(url);
  CheckpointIds ids(Environment{[] { return std::int64_t{1'800'000'000'000'000}; }});
  store->write(testing::Draft("ada", ids.next()).value("m", "1", std::string(5000, 'x')), {});
  store->write(testing::Draft("bob", ids.next()).value("m", "1", "x"), {});
  SessionStore sessions(store);
  sessions.append({"bob", "", {{"", "user", "1", "{}"}, {"", "user", "2", "{}"}}, {}, {}, {}});
  sessions.put_state(StateScope::of_thread("bob"), "k", "1");
}

void expect_counted(const std::string& url) {
  fill(url);
  const auto text = run({"stats", "--url", url}, done);
  EXPECT_TRUE(contains(text, "looked at everything\n")) << text;
  EXPECT_TRUE(contains(text, "\ncheckpoints  ")) << text;
  EXPECT_TRUE(contains(text, "\nmessages ")) << text;
  EXPECT_TRUE(contains(text, "\n2027-01-15  2\n")) << text;
  const auto report = Json::parse(run({"stats", "--url", url, "--largest", "1", "--json"}, done));
  EXPECT_EQ(report.at("estimated"), false);
  const auto& entities = report.at("entities");
  EXPECT_EQ(entities.at("blobs").at("rows"), 2);
  EXPECT_EQ(entities.at("messages").at("rows"), 2);
  EXPECT_EQ(entities.at("streams").at("rows"), 1);
  EXPECT_EQ(entities.at("states").at("rows"), 1);
  ASSERT_EQ(report.at("largest").size(), 1U);
  EXPECT_EQ(report.at("largest")[0].at("thread_id"), "ada");
  EXPECT_EQ(report.at("days")[0], (Json{{"day", "2027-01-15"}, {"checkpoints", 2}}));
  EXPECT_GT(report.at("stored_bytes"), 0);
  EXPECT_FALSE(contains(run({"stats", "--url", url, "--days", "0"}, done), "2027"));
}

#ifdef THREADKEEP_TEST_SQLITE
TEST_F(Cli, counts_what_a_file_holds) {
  expect_counted(url);
}
#endif

#ifdef THREADKEEP_TEST_POSTGRES
TEST_F(Cli, counts_what_a_schema_holds) {
  auto& server = testing::PostgresServer::shared();
  expect_counted(server.url(server.create_database()));
}

// A thread of few pages by a thread of many: a sample is enough to tell them apart.
TEST_F(Cli, estimates_where_a_database_is_large) {
  auto& server = testing::PostgresServer::shared();
  const auto database = server.create_database();
  const std::string place = server.url(database);
  fill(place);
  server.run(
      "ALTER TABLE checkpoint_blobs ALTER COLUMN blob SET STORAGE PLAIN;"
      "INSERT INTO checkpoint_blobs (thread_id, channel, version, type, blob) "
      "SELECT 'large', 'm', i::text, 'text', convert_to(repeat('x', 7000), 'UTF8') "
      "FROM generate_series(1, 11000) AS i",
      database);
  const auto report = Json::parse(run({"stats", "--url", place, "--json"}, done));
  EXPECT_EQ(report.at("estimated"), true);
  EXPECT_EQ(report.at("largest")[0].at("thread_id"), "large");
  const auto rows = report.at("entities").at("blobs").at("rows").get<double>();
  EXPECT_NEAR(rows, 11'002, 5'000);
  EXPECT_TRUE(contains(run({"stats", "--url", place}, done), "~"));
  const auto exact = Json::parse(run({"stats", "--url", place, "--exact", "--json"}, done));
  EXPECT_EQ(exact.at("entities").at("blobs").at("rows"), 11'002);
}
#endif

#ifdef THREADKEEP_TEST_REDIS
TEST_F(Cli, counts_what_a_prefix_holds) {
  expect_counted(testing::RedisServer::shared().url("prefix=counted"));
}

TEST_F(Cli, estimates_where_a_prefix_is_large) {
  const auto place = testing::RedisServer::shared().url("prefix=estimated");
  std::vector<Mutation> all;
  for (int i = 0; i < 3000; ++i) {
    all.emplace_back(testing::Draft("t" + std::to_string(i), "1").value("m", "1", "x"));
  }
  for (const Outcome& outcome : open(place)->write_all(std::move(all), {})) {
    EXPECT_FALSE(outcome.error);
  }
  const auto report = Json::parse(run({"stats", "--url", place, "--json"}, done));
  EXPECT_EQ(report.at("estimated"), true);
  EXPECT_EQ(report.at("entities").at("checkpoints").at("rows"), 3000);
  EXPECT_EQ(report.at("entities").at("blobs").at("rows"), 3000);
  const auto exact = Json::parse(run({"stats", "--url", place, "--exact", "--json"}, done));
  EXPECT_EQ(exact.at("estimated"), false);
  EXPECT_EQ(exact.at("entities").at("threads").at("rows"), 3000);
}
#endif

}  // namespace
}  // namespace threadkeep
