// SPDX-License-Identifier: Apache-2.0
// The connections of a store when there are too few, when they were forgotten on the way, and when
// the server goes away and comes back.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include "chaos_store.hpp"
#include "metric_values.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using testing::PostgresServer;
using testing::TcpProxy;
using testing::value_of;

// Keeps every session that touches the table waiting, until it is destroyed.
class TableLock {
 public:
  explicit TableLock(const std::string& url) : raw_(url) {
    raw_.run("BEGIN");
    raw_.run("LOCK TABLE checkpoints IN ACCESS EXCLUSIVE MODE");
  }
  ~TableLock() { raw_.run("COMMIT"); }
  TableLock(const TableLock&) = delete;
  TableLock& operator=(const TableLock&) = delete;

  void await_waiting(int sessions) {
    EXPECT_TRUE(comes_true([&] {
      return raw_.value(
                 "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = "
                 "'checkpoints'::regclass") == std::to_string(sessions);
    }));
  }

 private:
  RawDatabase raw_;
};

bool is_there(Backend& backend, const std::string& thread, const Call& call = within(20s)) {
  return backend.get({thread, "", {}, {}}, call).has_value();
}

class Pools : public ::testing::Test {
 protected:
  std::unique_ptr<Backend> open_store(const std::string& parameters) {
    auto backend = open_backend(schema_.url() + parameters);
    apply(*backend, Draft("t", "1"));
    return backend;
  }

  // So that as many connections are open and idle.
  void use_at_once(Backend& backend, int connections) {
    EXPECT_TRUE(is_there(backend, "t"));  // What the first use does, one does for all.
    std::vector<std::jthread> readers;
    TableLock lock(schema_.url());
    for (int i = 0; i < connections; ++i) {
      readers.emplace_back([&] { EXPECT_TRUE(is_there(backend, "t")); });
    }
    lock.await_waiting(connections);
  }

  Schema schema_;
};

TEST_F(Pools, are_counted) {
  const auto connections = [](const std::string& state) {
    return value_of(*Metrics::process(), "threadkeep_pool_connections",
                    {{"backend", "postgres"}, {"state", state}});
  };
  const auto waiting = [] {
    return value_of(*Metrics::process(), "threadkeep_pool_waiting", {{"backend", "postgres"}});
  };
  auto backend = open_store("&pool_size=2&pool_wait=20s");
  use_at_once(*backend, 2);
  EXPECT_EQ(connections("idle"), 2);
  EXPECT_EQ(connections("in_use"), 0);
  {
    std::vector<std::jthread> busy;
    TableLock lock(schema_.url());
    for (int i = 0; i < 3; ++i) {
      busy.emplace_back([&] { EXPECT_TRUE(is_there(*backend, "t")); });
    }
    lock.await_waiting(2);
    EXPECT_TRUE(comes_true([&] { return waiting() == 1; }));
    EXPECT_EQ(connections("idle"), 0);
    EXPECT_EQ(connections("in_use"), 2);
  }
  EXPECT_EQ(waiting(), 0);
  EXPECT_EQ(connections("idle"), 2);
  EXPECT_EQ(connections("in_use"), 0);
  backend.reset();
  EXPECT_EQ(connections("idle"), 0);
}

TEST_F(Pools, that_are_exhausted_say_so_in_time) {
  const auto backend = open_store("&pool_size=2&pool_wait=200ms");
  std::vector<std::jthread> busy;
  TableLock lock(schema_.url());
  for (int i = 0; i < 2; ++i) {
    busy.emplace_back([&] { EXPECT_TRUE(is_there(*backend, "t")); });
  }
  lock.await_waiting(2);
  Error error(Code::internal, "");
  const auto lasted = duration_of([&] { error = must_fail([&] { is_there(*backend, "t"); }); });
  EXPECT_EQ(error.code(), Code::unavailable) << error.what();
  EXPECT_NE(error.message().find("pool_size"), std::string::npos) << error.what();
  EXPECT_GE(lasted, 190ms);
  EXPECT_LT(lasted, 2200ms);
  EXPECT_EQ(must_fail([&] { is_there(*backend, "t", within(50ms)); }).code(), Code::timeout);
}

TEST_F(Pools, open_no_more_connections_than_allowed) {
  const auto backend = open_store("&pool_size=3&application_name=" + schema_.name());
  std::vector<std::jthread> threads;
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 20; ++n) apply(*backend, Draft(padded(i), padded(n)));
    });
  }
  threads.clear();
  RawDatabase raw(schema_.url());
  EXPECT_EQ(raw.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" +
                      schema_.name() + "'"),
            "3");
  EXPECT_EQ(raw.value("SELECT count(*) FROM checkpoints"), "241");
}

TEST_F(Pools, replace_idle_connections_that_were_forgotten_on_the_way) {
  TcpProxy proxy(PostgresServer::shared().port());
  open_store("");
  const auto backend = open_backend(proxy.in_front_of(schema_.url()) + "&pool_idle_check=50ms");
  use_at_once(*backend, 4);
  std::this_thread::sleep_for(60ms);
  proxy.forget();
  // Half of the time goes into the trial of one connection; the others went the same way.
  EXPECT_TRUE(is_there(*backend, "t", within(2s)));
  EXPECT_LT(duration_of([&] { EXPECT_TRUE(is_there(*backend, "t")); }), 1s);
}

TEST_F(Pools, lose_one_call_when_connections_were_forgotten_a_moment_ago) {
  TcpProxy proxy(PostgresServer::shared().port());
  open_store("");
  const auto backend = open_backend(proxy.in_front_of(schema_.url()));
  use_at_once(*backend, 4);
  proxy.forget();
  EXPECT_EQ(must_fail([&] { is_there(*backend, "t", within(200ms)); }).code(), Code::timeout);
  EXPECT_TRUE(is_there(*backend, "t", within(2s)));
  EXPECT_LT(duration_of([&] { EXPECT_TRUE(is_there(*backend, "t")); }), 1s);
}

// On a server of their own, which they stop. It need not wait for the disk: the machine stays up.
class Restarts : public ::testing::TestWithParam<PostgresServer::Stop> {
 protected:
  void restart() {
    server_.stop(GetParam());
    server_.start();
  }

  PostgresServer server_{{.durable = false, .settings = {{"synchronous_commit", "on"}}}};
  std::unique_ptr<Backend> backend_ = open_backend(server_.url());
};

TEST_P(Restarts, between_calls_are_not_noticed) {
  for (int n = 0; n < 3; ++n) {
    EXPECT_NO_THROW(apply(*backend_, Draft("t", padded(n))));
    restart();
    EXPECT_NO_THROW(backend_->get({"t", "", {}, {}}, Call())) << n;
  }
}

TEST_P(Restarts, are_outages_until_the_server_is_back) {
  apply(*backend_, Draft("t", "1"));
  server_.stop(GetParam());
  EXPECT_EQ(must_fail([&] { is_there(*backend_, "t"); }).code(), Code::unavailable);
  EXPECT_EQ(must_fail([&] { apply(*backend_, Draft("t", "2")); }).code(), Code::unavailable);
  EXPECT_FALSE(backend_->ping(Call()).ok);
  server_.start();
  EXPECT_FALSE(backend_->get({"t", "", "2", {}}, Call()));
  EXPECT_TRUE(is_there(*backend_, "t"));
}

// Puts the next number until it is told that it is stored; what is lost on the way is a known kind
// of error.
void put_in_spite_of_outages(Backend& backend, const std::string& thread, int number) {
  for (;;) {
    const auto error = error_of([&] { apply(backend, Draft(thread, padded(number))); });
    if (!error) return;
    const bool is_outage =
        error->code() == Code::unavailable || error->code() == Code::outcome_unknown;
    ASSERT_TRUE(is_outage) << error->what();
    ASSERT_TRUE(error->retry_safe()) << error->what();
    std::this_thread::sleep_for(5ms);
  }
}

TEST_P(Restarts, under_load_lose_nothing_that_was_acknowledged) {
  constexpr int writers = 6;
  std::array<std::atomic<int>, writers> stored{};
  std::vector<std::jthread> threads;
  for (int i = 0; i < writers; ++i) {
    threads.emplace_back([&, i](const std::stop_token& stop) {
      for (int n = 1; !stop.stop_requested(); ++n) {
        put_in_spite_of_outages(*backend_, padded(i), n);
        stored.at(static_cast<std::size_t>(i)) = n;
      }
    });
  }
  const auto has_stored = [](const auto& number) { return number > 0; };
  EXPECT_TRUE(comes_true([&] { return std::all_of(stored.begin(), stored.end(), has_stored); }));
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(150ms);
    restart();
  }
  std::this_thread::sleep_for(150ms);
  threads.clear();
  RawDatabase raw(server_.url());
  for (int i = 0; i < writers; ++i) {
    const auto count = std::to_string(stored.at(static_cast<std::size_t>(i)));
    EXPECT_EQ(raw.value("SELECT count(*), max(checkpoint_id)::int FROM checkpoints "
                        "WHERE thread_id = '" +
                        padded(i) + "'"),
              count + "|" + count);
  }
}

INSTANTIATE_TEST_SUITE_P(, Restarts,
                         ::testing::Values(PostgresServer::Stop::fast,
                                           PostgresServer::Stop::immediate),
                         [](const auto& test) {
                           return test.param == PostgresServer::Stop::fast ? "fast" : "immediate";
                         });

}  // namespace
}  // namespace threadkeep::postgres_test
