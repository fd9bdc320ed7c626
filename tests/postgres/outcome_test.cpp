// SPDX-License-Identifier: Apache-2.0
// What a caller is told when a call ends before its answer is there.
#include <gtest/gtest.h>

#include <thread>

#include "raw_database.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using testing::PostgresServer;
using testing::TcpProxy;

PostgresServer& server() {
  return PostgresServer::shared();
}

class PostgresOutcome : public ::testing::Test {
 protected:
  Connection connection{settings_of(server().url()), Call()};
};

std::jthread stop_soon(std::stop_source& stop) {
  return std::jthread([&stop] {
    std::this_thread::sleep_for(200ms);
    stop.request_stop();
  });
}

TEST_F(PostgresOutcome, of_a_read_that_is_stopped_is_cancelled) {
  const Statement sleep("SELECT pg_sleep(60)");
  std::stop_source stop;
  const auto stopper = stop_soon(stop);
  const auto error = error_of([&] {
    connection.run(sleep, {}, Effect::none, Call{Deadline::never(), stop.get_token()});
  });
  EXPECT_EQ(error.code(), Code::cancelled) << error.what();
  EXPECT_TRUE(connection.broken());
}

TEST_F(PostgresOutcome, of_a_transaction_that_is_stopped_before_its_commit_is_cancelled) {
  const Statement begin("BEGIN");
  const Statement sleep("SELECT pg_sleep(60)");
  connection.run(begin, {}, Effect::none, Call());
  std::stop_source stop;
  const auto stopper = stop_soon(stop);
  const auto error = error_of([&] {
    connection.run(sleep, {}, Effect::none, Call{Deadline::never(), stop.get_token()});
  });
  EXPECT_EQ(error.code(), Code::cancelled) << error.what();
}

TEST_F(PostgresOutcome, of_a_write_that_is_stopped_too_late_is_waited_for) {
  const Statement sleep("SELECT 'done' FROM pg_sleep(1)");
  std::stop_source stop;
  const auto stopper = stop_soon(stop);
  const auto result =
      connection.run(sleep, {}, Effect::commit, Call{Deadline::never(), stop.get_token()});
  EXPECT_EQ(result.text(0, 0), "done");
  EXPECT_TRUE(stop.stop_requested());
  EXPECT_FALSE(connection.broken());
  EXPECT_EQ(ask(connection, "SELECT 'again'"), "again");
}

TEST_F(PostgresOutcome, that_never_comes_is_not_waited_for_when_a_write_is_stopped) {
  const Statement statement("SELECT 1");
  TcpProxy proxy(server().port());
  Connection own(settings_of(proxy.in_front_of(server().url())), Call());
  proxy.fall_silent();
  std::stop_source stop;
  const auto stopper = stop_soon(stop);
  const auto error = error_of([&] {
    own.run(statement, {}, Effect::commit, Call{Deadline::never(), stop.get_token()});
  });
  EXPECT_EQ(error.code(), Code::outcome_unknown);
  EXPECT_TRUE(contains(error.message(), "asked to stop")) << error.what();
  EXPECT_TRUE(own.broken());
}

TEST_F(PostgresOutcome, of_a_write_that_is_stopped_too_late_is_unknown_at_its_deadline) {
  const Statement sleep("SELECT pg_sleep(60)");
  std::stop_source stop;
  const auto stopper = stop_soon(stop);
  const Call call{Deadline::after(500ms), stop.get_token()};
  const auto error = error_of([&] { connection.run(sleep, {}, Effect::commit, call); });
  EXPECT_EQ(error.code(), Code::outcome_unknown);
  EXPECT_TRUE(contains(error.message(), "deadline")) << error.what();
}

// What the server says when it ends a session has the same length each time, so that a proxy can
// change one character of its SQLSTATE: a code that the table does not know, and the end all the
// same.
TEST_F(PostgresOutcome, is_open_when_the_server_ends_the_session_whatever_its_reason) {
  const Statement sleep("SELECT pg_sleep(60)");
  const auto end_behind = [&](TcpProxy& proxy, std::size_t corrupted) {
    Connection own(settings_of(proxy.in_front_of(server().url())), Call());
    const auto pid = ask(own, "SELECT pg_backend_pid()::text");
    const auto before = proxy.counts().to_client;
    if (corrupted != 0) proxy.corrupt_after(TcpProxy::Direction::to_client, corrupted);
    RawDatabase look(server().superuser_url());
    std::jthread terminate([&] {
      while (look.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND "
                        "pid = " +
                        pid) == "0") {
        std::this_thread::sleep_for(2ms);
      }
      look.run("SELECT pg_terminate_backend(" + pid + ")");
    });
    const auto error = error_of([&] { own.run(sleep, {}, Effect::commit, Call()); });
    EXPECT_EQ(error.code(), Code::outcome_unknown) << error.what();
    return std::pair(error.native(), proxy.counts().to_client - before);
  };
  TcpProxy proxy(server().port());
  const auto [state, bytes] = end_behind(proxy, 0);
  ASSERT_EQ(state, "57P01");
  const std::string_view rest =
      "1 Mterminating connection due to administrator command Fpostgres.c L3000 RProcessInterrupts "
      " ";
  ASSERT_GT(bytes, rest.size());
  const auto [unknown, again] = end_behind(proxy, bytes - rest.size());
  EXPECT_EQ(again, bytes);
  EXPECT_NE(unknown, state);
  EXPECT_EQ(unknown.substr(0, 4), "57P0");
}

// The server's own setting is loaded by open sessions too.
TEST_F(PostgresOutcome, is_decided_in_the_same_isolation_whatever_the_server_loads) {
  const auto isolation = [&] { return ask(connection, "SHOW transaction_isolation"); };
  RawDatabase look(server().superuser_url());
  for (const std::string level : {"serializable", "repeatable read"}) {
    look.run("ALTER SYSTEM SET default_transaction_isolation = '" + level + "'");
    look.run("SELECT pg_reload_conf()");
    // Another session that was open before tells that it was loaded.
    while (look.value("SHOW default_transaction_isolation") != level) {
      std::this_thread::sleep_for(2ms);
    }
    EXPECT_EQ(isolation(), "read committed");
  }
  look.run("ALTER SYSTEM RESET default_transaction_isolation");
  look.run("SELECT pg_reload_conf()");
}

}  // namespace
}  // namespace threadkeep::postgres_test
