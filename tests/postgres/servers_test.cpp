// SPDX-License-Identifier: Apache-2.0
// The servers that other tests rely on do what their headers say.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "raw_database.hpp"
#include "threadkeep/testing/postgres_server.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using testing::PostgresSchemas;
using testing::PostgresServer;

PostgresServer& server() {
  return PostgresServer::shared();
}

TEST(PostgresServers, order_texts_as_the_locale_of_the_database_says) {
  const auto icu = server().create_database(PostgresServer::Locale::icu);
  EXPECT_EQ(RawDatabase(server().url()).value("SELECT 'a' < 'B'"), "f");
  EXPECT_EQ(RawDatabase(server().url(icu)).value("SELECT 'a' < 'B'"), "t");
}

TEST(PostgresServers, are_used_without_the_rights_of_a_superuser) {
  RawDatabase database(server().url());
  EXPECT_EQ(database.value("SELECT current_user, rolsuper FROM pg_roles "
                           "WHERE rolname = current_user"),
            "threadkeep|f");
  EXPECT_NO_THROW(database.run("CREATE SCHEMA own; DROP SCHEMA own"));
}

TEST(PostgresServers, keep_what_was_committed_when_they_are_killed) {
  PostgresServer own({.durable = true, .settings = {{"max_connections", "20"}}});
  RawDatabase(own.url()).run("CREATE TABLE numbers(n int); INSERT INTO numbers VALUES (7)");
  own.kill();
  EXPECT_THROW(RawDatabase(own.url()), std::runtime_error);
  own.start();
  EXPECT_EQ(RawDatabase(own.url()).value("SELECT n FROM numbers"), "7");
  EXPECT_EQ(RawDatabase(own.url()).value("SHOW max_connections"), "20");
  EXPECT_NE(own.log().find("was interrupted"), std::string::npos) << own.log();
  own.stop(PostgresServer::Stop::fast);
  EXPECT_NE(own.log().find("database system is shut down"), std::string::npos) << own.log();
}

TEST(PostgresServers, say_why_they_do_not_start) {
  try {
    PostgresServer own({.durable = false, .settings = {{"max_connections", "none"}}});
    FAIL() << "it runs";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("max_connections"), std::string::npos) << error.what();
  }
}

// What a program that is killed says before: the place and the process of its server.
struct Orphan {
  std::string directory;
  pid_t server = 0;
};

Orphan orphan_of_a_killed_program() {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t program = fork();
  if (program == 0) {
    PostgresServer own;
    const RawDatabase session(own.url());
    const auto line =
        own.run("SHOW data_directory") + own.run("SELECT pg_read_file('postmaster.pid', 0, 12)");
    [[maybe_unused]] const auto written = write(ends[1], line.data(), line.size());
    for (;;) pause();
  }
  char line[4096];
  std::this_thread::sleep_for(10ms);
  const auto size = read(ends[0], line, sizeof line);
  ::kill(program, SIGKILL);
  waitpid(program, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  std::istringstream words(std::string(line, static_cast<std::size_t>(std::max<ssize_t>(size, 0))));
  Orphan orphan;
  words >> orphan.directory >> orphan.server;
  return orphan;
}

TEST(PostgresServers, end_with_their_program_even_when_it_is_killed) {
  const auto orphan = orphan_of_a_killed_program();
  ASSERT_GT(orphan.server, 1);
  const auto end = std::chrono::steady_clock::now() + 10s;
  const auto is_there = [&] {
    return ::kill(orphan.server, 0) == 0 || std::filesystem::exists(orphan.directory);
  };
  while (is_there() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
  EXPECT_NE(::kill(orphan.server, 0), 0) << "the server still runs";
  EXPECT_FALSE(std::filesystem::exists(orphan.directory));
}

TEST(PostgresSchemas, are_empty_and_belong_to_the_user_of_the_store) {
  PostgresSchemas schemas(server(), "store", "CREATE TABLE there(n int);");
  const auto first = schemas.take();
  const auto second = schemas.take();
  EXPECT_NE(first, second);
  RawDatabase database(schemas.url(first));
  EXPECT_EQ(database.value("SELECT current_schema()"), first);
  EXPECT_EQ(database.value("SELECT count(*) FROM there"), "0");
  EXPECT_NO_THROW(database.run("CREATE TABLE more(n int)"));
}

}  // namespace
}  // namespace threadkeep::postgres_test
