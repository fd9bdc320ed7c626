// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "postgres/pool.hpp"
#include "raw_database.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using postgres::Lease;
using postgres::Pool;
using testing::PostgresServer;
using testing::TcpProxy;

PostgresServer& server() {
  return PostgresServer::shared();
}

// Settings and the pool that refers to them.
struct Store {
  explicit Store(const std::string& url) : settings(settings_of(url)), pool(settings) {}

  Lease take() { return pool.take(Call()); }

  const Settings settings;
  Pool pool;
};

std::string pid_of(const Lease& lease) {
  return ask(*lease, "SELECT pg_backend_pid()::text");
}

void terminate(const std::string& pid) {
  RawDatabase(server().superuser_url()).run("SELECT pg_terminate_backend(" + pid + ", 5000)");
}

std::string sessions_with(const std::string& pids) {
  return RawDatabase(server().url())
      .value("SELECT count(*) FROM pg_stat_activity WHERE pid IN (" + pids + ")");
}

TEST(PostgresPool, lends_what_was_used_last) {
  Store store(server().url());
  std::string first, second;
  {
    const Lease a = store.take();
    const Lease b = store.take();
    first = pid_of(a);
    second = pid_of(b);
    EXPECT_NE(first, second);
  }  // b goes back first
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pid_of(store.take()), first);
}

TEST(PostgresPool, says_what_to_do_when_all_connections_are_in_use) {
  Store store(with(with(server().url(), "pool_size=2"), "pool_wait=100ms"));
  const Lease a = store.take();
  std::optional<Lease> b(store.take());
  std::optional<Error> error;
  const auto took = duration_of([&] { error = error_of([&] { store.take(); }); });
  EXPECT_EQ(error->code(), Code::unavailable);
  EXPECT_TRUE(contains(error->what(), "all 2 connections")) << error->what();
  EXPECT_TRUE(contains(error->what(), "pool_size")) << error->what();
  EXPECT_EQ(error->native(), "pool_wait") << "so that nobody takes it for an outage";
  EXPECT_GE(took, 100ms);
  EXPECT_LT(took, 1s);
  b.reset();
  EXPECT_NO_THROW(store.take());
}

TEST(PostgresPool, waits_no_longer_than_the_call_may_take) {
  Store store(with(server().url(), "pool_size=1"));
  const Lease a = store.take();
  auto error = error_of([&] { store.pool.take(call_within(50ms)); });
  EXPECT_EQ(error.code(), Code::timeout);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  error = error_of([&] { store.pool.take(Call{Deadline::never(), stop.get_token()}); });
  EXPECT_EQ(error.code(), Code::cancelled);
  error = error_of([&] { store.pool.take(Call{Deadline(), stop.get_token()}); });
  EXPECT_EQ(error.code(), Code::cancelled);
}

TEST(PostgresPool, gives_a_connection_that_comes_free_to_who_waits) {
  Store store(with(server().url(), "pool_size=1"));
  std::optional<Lease> lease(store.take());
  const auto pid = pid_of(*lease);
  std::jthread giver([&] {
    std::this_thread::sleep_for(100ms);
    lease.reset();
  });
  const auto took = duration_of([&] { EXPECT_EQ(pid_of(store.take()), pid); });
  EXPECT_GE(took, 80ms);
  EXPECT_LT(took, 2s);
}

TEST(PostgresPool, has_a_place_again_after_it_could_not_connect) {
  TcpProxy proxy(server().port());
  Store store(with(with(proxy.in_front_of(server().url()), "pool_size=1"), "pool_wait=50ms"));
  proxy.refuse();
  for (int i = 0; i < 3; ++i) {
    const auto error = error_of([&] { store.take(); });
    EXPECT_EQ(error.code(), Code::unavailable);
    EXPECT_FALSE(contains(error.what(), "pool_size")) << error.what();
  }
  proxy.pass();
  EXPECT_NO_THROW(store.take());
}

TEST(PostgresPool, replaces_a_dead_connection_without_a_word) {
  Store store(server().url());
  const auto pid = pid_of(store.take());
  terminate(pid);
  const Lease lease = store.take();
  EXPECT_NE(pid_of(lease), pid);
}

TEST(PostgresPool, replaces_all_connections_of_a_server_that_was_restarted) {
  PostgresServer own;
  Store store(own.url());
  { const Lease a = store.take(), b = store.take(), c = store.take(); }
  for (const auto how : {PostgresServer::Stop::fast, PostgresServer::Stop::immediate}) {
    own.stop(how);
    EXPECT_EQ(error_of([&] { store.take(); }).code(), Code::unavailable);
    own.start();
    const Lease a = store.take(), b = store.take(), c = store.take();
    for (const auto* lease : {&a, &b, &c}) EXPECT_NE(pid_of(*lease), "");
  }
}

TEST(PostgresPool, rolls_back_what_was_left_open) {
  RawDatabase look(server().url());
  look.run("DROP TABLE IF EXISTS left_open; CREATE TABLE left_open(n integer)");
  Store store(server().url());
  std::string pid;
  for (const std::string sql :
       {"INSERT INTO left_open VALUES (1)", "INSERT INTO left_open VALUES (1 / 0)"}) {
    {
      const Lease lease = store.take();
      pid = pid_of(lease);
      lease->execute("BEGIN", Call());
      try {
        lease->execute(sql, Call());
      } catch (const Error&) {
        EXPECT_TRUE(lease->in_transaction());
      }
    }
    const Lease lease = store.take();
    EXPECT_EQ(pid_of(lease), pid);
    EXPECT_FALSE(lease->in_transaction());
  }
  EXPECT_EQ(look.value("SELECT count(*) FROM left_open"), "0");
}

TEST(PostgresPool, keeps_no_connection_that_was_given_up) {
  Store store(server().url());
  std::string pid;
  {
    const Lease lease = store.take();
    pid = pid_of(lease);
    error_of([&] { lease->execute("SELECT pg_sleep(10)", call_within(50ms)); });
  }
  EXPECT_NE(pid_of(store.take()), pid);
}

TEST(PostgresPool, keeps_no_connection_whose_buffers_grew_large) {
  Store store(server().url());
  std::string pid;
  {
    const Lease lease = store.take();
    pid = pid_of(lease);
    const Statement many("SELECT repeat('x', 400000) FROM generate_series(1, 100)");
    lease->run(many, {}, Effect::none, Call());
  }
  EXPECT_EQ(pid_of(store.take()), pid);
  {
    const Lease lease = store.take();
    lease->run(Statement("SELECT repeat('x', 40000000)"), {}, Effect::none, Call());
  }
  EXPECT_NE(pid_of(store.take()), pid);
}

TEST(PostgresPool, closes_connections_at_the_end_of_their_lifetime) {
  Store store(with(server().url(), "pool_max_lifetime=500ms"));
  const auto pid = pid_of(store.take());
  EXPECT_EQ(pid_of(store.take()), pid);
  std::this_thread::sleep_for(550ms);
  EXPECT_NE(pid_of(store.take()), pid);
  std::string pids;
  {
    const Lease a = store.take(), b = store.take();
    pids = pid_of(a) + ", " + pid_of(b);
    std::this_thread::sleep_for(550ms);
  }
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(sessions_with(pids), "0");
}

TEST(PostgresPool, closes_what_nobody_needs_any_more_at_the_end_of_its_lifetime) {
  Store store(with(server().url(), "pool_max_lifetime=500ms"));
  std::string rarely_used;
  {
    const Lease often = store.take();
    const Lease rarely = store.take();
    rarely_used = pid_of(rarely);
  }
  std::this_thread::sleep_for(550ms);
  pid_of(store.take());
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(sessions_with(rarely_used), "0");
}

TEST(PostgresPool, tries_a_connection_only_when_it_was_idle_for_long) {
  TcpProxy proxy(server().port());
  const auto url = proxy.in_front_of(server().url());
  const auto turns_of_take = [&](Store& store) {
    const auto before = proxy.counts().turns;
    store.take();
    return proxy.counts().turns - before;
  };
  Store trusting(url);
  trusting.take();
  EXPECT_EQ(turns_of_take(trusting), 0U);
  Store suspicious(with(url, "pool_idle_check=0s"));
  suspicious.take();
  EXPECT_EQ(turns_of_take(suspicious), 1U);
  Store usual(with(url, "pool_idle_check=1s"));
  usual.take();
  EXPECT_EQ(turns_of_take(usual), 0U);
  std::this_thread::sleep_for(1100ms);
  EXPECT_EQ(turns_of_take(usual), 1U);
  EXPECT_EQ(turns_of_take(usual), 0U);
}

// Half-open connections: nothing tells that the other end is gone.
TEST(PostgresPool, replaces_silent_connections_and_pays_for_one_of_them_only) {
  TcpProxy proxy(server().port());
  const auto both =
      "127.0.0.1:" + std::to_string(proxy.port()) + ",127.0.0.1:" + std::to_string(server().port());
  Store store("postgresql://threadkeep@" + both + "/store?pool_idle_check=0s&connect_timeout=1");
  { const Lease a = store.take(), b = store.take(), c = store.take(); }
  proxy.fall_silent();
  // Two seconds for the trial, one for the first of the hosts.
  const auto first = duration_of([&] { EXPECT_NE(pid_of(store.take()), ""); });
  EXPECT_GE(first, 2900ms);
  EXPECT_LT(first, 4900ms);
  // Only the first host is slow now.
  const auto others = duration_of([&] { const Lease a = store.take(), b = store.take(); });
  EXPECT_LT(others, 1900ms);
}

TEST(PostgresPool, leaves_time_for_a_new_connection_when_the_old_one_is_silent) {
  TcpProxy proxy(server().port());
  Store store(with(proxy.in_front_of(server().url()), "pool_idle_check=0s"));
  store.take();
  proxy.fall_silent();
  std::optional<Error> error;
  const auto took =
      duration_of([&] { error = error_of([&] { store.pool.take(call_within(600ms)); }); });
  EXPECT_EQ(error->code(), Code::timeout) << error->what();
  EXPECT_GE(took, 600ms);
  EXPECT_LT(took, 1500ms);
  EXPECT_EQ(proxy.counts().connections, 2U) << "it tried a new one";
}

TEST(PostgresPool, stops_at_once_while_it_tries_a_connection) {
  TcpProxy proxy(server().port());
  Store store(with(proxy.in_front_of(server().url()), "pool_idle_check=0s"));
  store.take();
  proxy.fall_silent();
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  std::optional<Error> error;
  const auto took = duration_of([&] {
    error = error_of([&] { store.pool.take(Call{Deadline(), stop.get_token()}); });
  });
  EXPECT_EQ(error->code(), Code::cancelled);
  EXPECT_LT(took, 1s);
}

TEST(PostgresPool, tries_the_others_after_one_was_lost_in_use) {
  TcpProxy proxy(server().port());
  Store store(proxy.in_front_of(server().url()));
  {
    const Lease used = store.take();
    { const Lease idle = store.take(); }
    error_of([&] { used->execute("SELECT pg_sleep(10)", call_within(50ms)); });
  }
  const auto before = proxy.counts();
  store.take();
  EXPECT_EQ(proxy.counts().turns - before.turns, 1U);
  EXPECT_EQ(proxy.counts().connections, before.connections);
}

TEST(PostgresPool, is_of_no_use_to_a_child_and_takes_no_harm_from_it) {
  auto store = std::make_unique<Store>(server().url());
  const auto pid = pid_of(store->take());
  const pid_t child = fork();
  if (child == 0) {
    int result = 1;
    try {
      store->take();
    } catch (const Error& error) {
      result = error.code() == Code::unsupported ? 0 : 2;
    }
    store.reset();
    _exit(result);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(pid_of(store->take()), pid);
}

TEST(PostgresPool, serves_many_threads_while_connections_die) {
  Store store(with(with(server().url(), "pool_size=4"), "application_name=stress"));
  std::atomic<int> served{0};
  std::atomic<int> lost{0};
  const auto work = [&] {
    for (int i = 0; i < 200; ++i) {
      try {
        ask(*store.take(), "SELECT 'x'");
        ++served;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::unavailable) << error.what();
        ++lost;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) threads.emplace_back(work);
    RawDatabase killer(server().superuser_url());
    for (int i = 0; i < 20; ++i) {
      killer.run(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
          "WHERE application_name = 'stress' ORDER BY random() LIMIT 1");
      std::this_thread::sleep_for(5ms);
    }
  }
  EXPECT_EQ(served + lost, 1600);
  EXPECT_LE(lost, 20);
  EXPECT_NE(pid_of(store.take()), "");
}

}  // namespace
}  // namespace threadkeep::postgres_test
