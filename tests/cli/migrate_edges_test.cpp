// SPDX-License-Identifier: Apache-2.0
// threadkeep migrate-tier is ended at each of its commits, on both sides of it.
#include <chrono>
#include <string>
#include <thread>

#include "command.hpp"
#include "commit_proxy.hpp"
#include "threadkeep/testing/postgres_server.hpp"

namespace threadkeep {
namespace {

using namespace std::chrono_literals;
using testing::CommitProxy;
using Edge = CommitProxy::Edge;

constexpr int interrupted = 3;
constexpr std::chrono::seconds long_enough{120};

// A plain table, one that refers to itself, and one without a key.
constexpr const char* tables =
    "CREATE TABLE places (id integer PRIMARY KEY, name text NOT NULL);"
    "CREATE TABLE steps (id integer PRIMARY KEY, place integer REFERENCES places,"
    " parent integer REFERENCES steps);"
    "CREATE TABLE words (word text);";
constexpr const char* rows =
    "INSERT INTO places SELECT n, 'place ' || n FROM generate_series(1, 25) n;"
    "INSERT INTO steps SELECT n, n, 31 - n FROM generate_series(1, 25) n WHERE n > 5;"
    "INSERT INTO words SELECT 'word ' || n FROM generate_series(1, 15) n;";
constexpr const char* all_rows =
    "SELECT * FROM places ORDER BY id; SELECT * FROM steps ORDER BY id;"
    "SELECT * FROM words ORDER BY word;";
constexpr const char* empty =
    "DROP TABLE IF EXISTS threadkeep_tier_tables, threadkeep_tier_rejects, threadkeep_tier_runs; "
    "TRUNCATE places, steps, "
    "words;";
// What the run counted, over both of its parts: each row once.
constexpr const char* counts =
    "SELECT table_name, pass, done, inserted, updated, unchanged, kept, rejected"
    " FROM threadkeep_tier_tables ORDER BY 1, 2; SELECT count(*) FROM threadkeep_tier_runs;";
constexpr const char* expected_counts =
    "places|1|t|25|0|0|0|0\nsteps|1|t|20|0|0|0|0\nsteps|2|t|0|20|0|0|0\nwords|1|t|15|0|0|0|0\n1\n";

class MigrateEdges : public Cli {
 protected:
  MigrateEdges() {
    sql(server(), source, std::string(tables) + rows);
    sql(server(), target, tables);
  }
  static testing::PostgresServer& server() { return testing::PostgresServer::shared(); }
  static std::string sql(testing::PostgresServer& where, const std::string& database,
                         const std::string& text) {
    return where.run("SET ROLE threadkeep;\n" + text, database);
  }
  Arguments arguments(const std::string& target_url) const {
    return {"migrate-tier", "--from", server().url(source), "--to", "standalone", "--target-url",
            target_url,     "--yes",  "--batch-rows",       "10"};
  }
  static std::string through(const CommitProxy& proxy, std::string url,
                             const testing::PostgresServer& where) {
    const auto port = ":" + std::to_string(where.port());
    return url.replace(url.find(port), port.size(), ":" + std::to_string(proxy.port()));
  }
  void expect_all(testing::PostgresServer& where, const std::string& database) const {
    EXPECT_EQ(sql(where, database, all_rows), sql(server(), source, all_rows));
    EXPECT_EQ(sql(where, database, counts), expected_counts);
  }
  testing::Program start(const std::string& target_url) const {
    auto command = arguments(target_url);
    command.insert(command.begin(), THREADKEEP_COMMAND);
    return testing::Program(command);
  }

  const std::string source = server().create_database();
  const std::string target = server().create_database();
};

class EachCommit : public MigrateEdges, public ::testing::WithParamInterface<Edge> {};

TEST_P(EachCommit, may_be_the_last_of_a_killed_command) {
  CommitProxy proxy(server().port());
  const auto address = through(proxy, server().url(target), server());
  run(arguments(address), done);
  const int commits = proxy.commits();
  ASSERT_GT(commits, 10);
  for (int number = 1; number <= commits; ++number) {
    SCOPED_TRACE("commit " + std::to_string(number) + " of " + std::to_string(commits));
    sql(server(), target, empty);
    proxy.hold(number, GetParam());
    auto program = start(address);
    ASSERT_TRUE(proxy.wait_until_held(long_enough));
    // One killed, the next one cut off. The first one is that of the run itself.
    const bool killed = number % 2 == 0;
    if (killed) program.kill();
    proxy.release();
    EXPECT_EQ(program.wait(), killed ? -1 : interrupted) << program.output();
    const bool finished = number == commits && GetParam() == Edge::after;
    if (!finished) run(arguments(server().url(target)), done);
    expect_all(server(), target);
  }
}

INSTANTIATE_TEST_SUITE_P(Edges, EachCommit, ::testing::Values(Edge::before, Edge::after),
                         [](const auto& edge) {
                           return edge.param == Edge::before ? "before" : "after";
                         });

// The commit of a command that was killed is still on its way when the next one begins. Commits of
// what was only read, or moved a sequence, need not be waited for.
TEST_F(MigrateEdges, a_commit_that_comes_late_is_waited_for) {
  CommitProxy proxy(server().port());
  const auto address = through(proxy, server().url(target), server());
  run(arguments(address), done);
  const int commits = proxy.commits();
  int waited = 0;
  // The first one makes the tables of runs: without it there is no run yet.
  for (int number = 2; number <= commits; ++number) {
    SCOPED_TRACE("commit " + std::to_string(number) + " of " + std::to_string(commits));
    sql(server(), target, empty);
    proxy.hold(number, Edge::late);
    auto program = start(address);
    ASSERT_TRUE(proxy.wait_until_held(long_enough));
    program.kill();
    program.wait();
    auto next = start(server().url(target));
    const auto waits = [&] { return contains(next.output(), "Waiting for another migration"); };
    const auto ends = [&] { return contains(next.output(), "COMPLETE"); };
    while (!waits() && !ends()) std::this_thread::sleep_for(10ms);
    waited += waits() ? 1 : 0;
    proxy.release();
    // The last one ends the run, so that the target is one that is full.
    EXPECT_EQ(next.wait(), number == commits ? usage : done) << next.output();
    expect_all(server(), target);
  }
  // Seven batches, the marks that three passes are done, the table without a key, and the end of
  // the run.
  EXPECT_EQ(waited, 12);
}

// The server of the target goes away while a batch is under way, and comes back.
class TargetServer : public MigrateEdges, public ::testing::WithParamInterface<bool> {};

TEST_P(TargetServer, may_restart_in_the_middle) {
  testing::PostgresServer other({.durable = true, .settings = {}});
  const auto database = other.create_database();
  sql(other, database, tables);
  CommitProxy proxy(other.port());
  proxy.hold(4, Edge::before);
  auto program = start(through(proxy, other.url(database), other));
  ASSERT_TRUE(proxy.wait_until_held(long_enough));
  if (GetParam()) {
    other.kill();
  } else {
    other.stop(testing::PostgresServer::Stop::fast);
  }
  proxy.release();
  EXPECT_EQ(program.wait(), interrupted) << program.output();
  other.start();
  EXPECT_NE(sql(other, database, "SELECT count(*) FROM places"), "25\n");
  run(arguments(other.url(database)), done);
  expect_all(other, database);
}

INSTANTIATE_TEST_SUITE_P(Ends, TargetServer, ::testing::Bool(), [](const auto& is_killed) {
  return is_killed.param ? "killed" : "stopped";
});

}  // namespace
}  // namespace threadkeep
