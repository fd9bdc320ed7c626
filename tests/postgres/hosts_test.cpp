// SPDX-License-Identifier: Apache-2.0
// Which server a connection goes to, and how long the others may hold it up.
#include "postgres/hosts.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "raw_database.hpp"
#include "threadkeep/testing/pgbouncer.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"
#include "threadkeep/testing/temporary_directory.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using testing::Pgbouncer;
using testing::PostgresServer;
using testing::TcpProxy;

PostgresServer& server() {
  return PostgresServer::shared();
}

std::string port(const PostgresServer& of) {
  return std::to_string(of.port());
}

std::string at(const std::vector<std::string>& ports, const std::string& parameters = {}) {
  std::string hosts;
  for (const auto& each : ports) hosts += (hosts.empty() ? "" : ",") + ("127.0.0.1:" + each);
  return "postgresql://threadkeep@" + hosts + "/store" +
         (parameters.empty() ? "" : "?" + parameters);
}

// The port of the server that a URL leads to.
std::string where(const std::string& url) {
  Connection connection(settings_of(url), Call());
  return ask(connection, "SELECT current_setting('port')");
}

Error refusal(const std::string& url, const Call& call = Call()) {
  return error_of([&] { Connection(settings_of(url), call); });
}

TEST(PostgresHostLists, go_past_a_host_that_refuses) {
  TcpProxy closed(server().port());
  closed.refuse();
  EXPECT_EQ(where(at({std::to_string(closed.port()), port(server())})), port(server()));
  const auto error = refusal(at({std::to_string(closed.port()), "1"}));
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_TRUE(contains(error.what(), "port 1 failed: Connection refused")) << error.what();
  EXPECT_TRUE(contains(error.what(), "cannot connect to postgresql://threadkeep@127.0.0.1"))
      << error.what();
}

TEST(PostgresHostLists, go_past_a_host_that_is_silent) {
  const SilentListener silent;
  const auto url = at({silent.port(), port(server())}, "connect_timeout=1");
  std::string found;
  const auto took = duration_of([&] { found = where(url); });
  EXPECT_EQ(found, port(server()));
  EXPECT_GE(took, 1s);
  EXPECT_LT(took, 2500ms);
}

TEST(PostgresHostLists, of_a_service_go_past_a_host_that_is_silent) {
  const SilentListener silent;
  const testing::TemporaryDirectory place;
  const auto file = place.path() / "services";
  std::ofstream(file) << "[store]\nhost=127.0.0.1,127.0.0.1\nport=" << silent.port() << ","
                      << port(server()) << "\ndbname=store\nuser=threadkeep\n";
  const Variable services("PGSERVICEFILE", file.string());
  EXPECT_EQ(where("postgresql://?service=store&connect_timeout=1"), port(server()));
  EXPECT_EQ(where("postgresql://?service=store&connect_timeout=1&target_session_attrs=read-write"),
            port(server()));
  const Variable service("PGSERVICE", "store");
  EXPECT_EQ(where("postgresql://?connect_timeout=1"), port(server()));
}

TEST(PostgresHostLists, are_given_up_at_the_deadline) {
  const SilentListener silent;
  std::optional<Error> error;
  auto took = duration_of([&] { error = refusal(at({silent.port()}), call_within(200ms)); });
  EXPECT_EQ(error->code(), Code::timeout) << error->what();
  EXPECT_GE(took, 200ms);
  EXPECT_LT(took, 1s);
  took = duration_of([&] { error = refusal(at({silent.port()}, "connect_timeout=1")); });
  EXPECT_EQ(error->code(), Code::unavailable) << error->what();
  EXPECT_TRUE(contains(error->what(), "connect_timeout")) << error->what();
  EXPECT_LT(took, 2500ms);
}

TEST(PostgresHostLists, are_given_up_when_the_call_is_stopped) {
  const SilentListener silent;
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  std::optional<Error> error;
  const auto took = duration_of([&] {
    error = refusal(at({silent.port(), silent.port()}), Call{Deadline::never(), stop.get_token()});
  });
  EXPECT_EQ(error->code(), Code::cancelled) << error->what();
  EXPECT_LT(took, 1s);
}

TEST(PostgresHostLists, are_given_up_when_the_server_falls_silent_after_the_login) {
  for (std::size_t bytes = 1; bytes < 2000; bytes += 47) {
    TcpProxy proxy(server().port());
    proxy.fall_silent_after(TcpProxy::Direction::to_client, bytes);
    std::optional<Error> error;
    const auto took = duration_of([&] {
      try {
        Connection(settings_of(proxy.in_front_of(server().url())), call_within(150ms));
      } catch (const Error& got) {
        error = got;
      }
    });
    EXPECT_LT(took, 1s);
    if (!error) return;  // that was enough for all of it
    EXPECT_EQ(error->code(), Code::timeout) << error->what();
  }
  FAIL() << "a login takes more bytes than that";
}

TEST(PostgresHostLists, may_name_hosts_with_several_addresses) {
  const auto url = "postgresql://threadkeep@localhost:" + port(server()) + "/store";
  EXPECT_EQ(where(url), port(server()));
}

TEST(PostgresHostLists, with_a_name_that_nobody_knows_say_so) {
  const auto error = refusal("postgresql://no-such-host.invalid/db");
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_TRUE(contains(error.what(), "no-such-host.invalid")) << error.what();
  EXPECT_EQ(where("postgresql://threadkeep@no-such-host.invalid,localhost:" + port(server()) +
                  "/store?port=" + port(server())),
            port(server()));
}

TEST(PostgresHostLists, do_not_wait_for_a_slow_look_up) {
  postgres::Waiter waiter;
  EXPECT_EQ(error_of([&] {
              postgres::resolve({"localhost", "", ""}, waiter, Deadline::after(0s));
            }).code(),
            Code::timeout);
  std::stop_source stop;
  stop.request_stop();
  const postgres::Waiter::Watch watch(waiter, stop.get_token());
  EXPECT_EQ(error_of([&] {
              postgres::resolve({"localhost", "", ""}, waiter, Deadline());
            }).code(),
            Code::cancelled);
}

// Two servers, of which the first is read-only.
class PostgresReadOnlyServer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    read_only_ = std::make_unique<PostgresServer>();
    read_only_->run("ALTER DATABASE store SET default_transaction_read_only = on");
  }
  static void TearDownTestSuite() { read_only_.reset(); }

  static std::string first() { return port(*read_only_); }
  static std::string second() { return port(server()); }
  static std::string both(const std::string& attributes) {
    return at({first(), second()}, "target_session_attrs=" + attributes);
  }

  static std::unique_ptr<PostgresServer> read_only_;
};

std::unique_ptr<PostgresServer> PostgresReadOnlyServer::read_only_;

TEST_F(PostgresReadOnlyServer, is_passed_over_for_one_that_takes_writes) {
  EXPECT_EQ(where(at({first(), second()})), first());
  EXPECT_EQ(where(both("any")), first());
  EXPECT_EQ(where(both("read-only")), first());
  EXPECT_EQ(where(both("read-write")), second());
  const Variable attributes("PGTARGETSESSIONATTRS", "read-write");
  EXPECT_EQ(where(at({first(), second()})), second());
}

TEST_F(PostgresReadOnlyServer, alone_is_refused_where_writes_are_demanded) {
  const auto error = refusal(at({first()}, "target_session_attrs=read-write"));
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_TRUE(contains(error.what(), "read-only")) << error.what();
}

TEST_F(PostgresReadOnlyServer, refuses_writes_with_the_remedy) {
  Connection connection(settings_of(at({first()})), Call());
  const auto error =
      error_of([&] { connection.execute("CREATE TABLE denied(n integer)", Call()); });
  EXPECT_EQ(error.code(), Code::denied);
  EXPECT_TRUE(contains(error.what(), "target_session_attrs=read-write")) << error.what();
}

// Switched to standby, without a primary that it would follow.
TEST(PostgresStandby, is_found_when_it_is_preferred) {
  PostgresServer standby;
  EXPECT_EQ(where(at({port(standby), port(server())}, "target_session_attrs=prefer-standby")),
            port(standby));
  const auto data = RawDatabase(standby.superuser_url()).value("SHOW data_directory");
  standby.stop(PostgresServer::Stop::fast);
  std::ofstream(std::filesystem::path(data) / "standby.signal").close();
  standby.start();
  const auto where_with = [&](const std::string& attributes) {
    return where(at({port(server()), port(standby)}, "target_session_attrs=" + attributes));
  };
  EXPECT_EQ(where_with("prefer-standby"), port(standby));
  EXPECT_EQ(where_with("standby"), port(standby));
  EXPECT_EQ(where_with("primary"), port(server()));
  EXPECT_EQ(where(at({port(standby), port(server())}, "target_session_attrs=read-write")),
            port(server()));
}

TEST(PostgresPooler, is_recognized_and_gets_no_session) {
  Pgbouncer pooler(server());
  Connection connection(settings_of(pooler.url()), Call());
  EXPECT_TRUE(connection.pooled());
  EXPECT_EQ(connection.schema(), "public");
  EXPECT_EQ(ask(connection, "SELECT current_setting('plan_cache_mode')"), "auto");
  EXPECT_EQ(ask(connection, "SELECT count(*)::text FROM pg_prepared_statements"), "0");
  EXPECT_NO_THROW(connection.ping(Call()));
}

// This pooler does not know prepared statements: each transaction may meet another session.
TEST(PostgresPooler, serves_those_who_prepare_all_the_same) {
  Pgbouncer pooler(server(), {.pool_size = 3});
  const Settings settings = settings_of(with(pooler.url(), "prepare=always"));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&] {
      Connection connection(settings, Call());
      const Statement statement("SELECT $1::integer * 2");
      for (int i = 0; i < 100; ++i) {
        Parameters parameters;
        parameters.integer(i);
        const auto result = connection.run(statement, std::move(parameters), Effect::none, Call());
        EXPECT_EQ(result.integer(0, 0), 2 * i);
      }
      EXPECT_FALSE(connection.worn());
    });
  }
}

}  // namespace
}  // namespace threadkeep::postgres_test
