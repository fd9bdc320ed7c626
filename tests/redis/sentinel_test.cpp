// SPDX-License-Identifier: Apache-2.0
// Sentinels: who is asked, whom they name, and what becomes of a store when the master goes.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <iostream>
#include <set>
#include <thread>

#include "examined.hpp"
#include "operations.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/testing/access.hpp"
#include "threadkeep/testing/redis_sentinels.hpp"

namespace threadkeep::redis_test {
namespace {

using namespace std::chrono_literals;
using testing::AccessKind;
using testing::RedisSentinels;
using testing::TcpProxy;

std::string place_of(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

RedisServer::Options replica_of(const RedisServer& master) {
  return {.durable = true,
          .settings = {{"replicaof", "127.0.0.1 " + std::to_string(master.port())}}};
}

void wait_for_replicas(const RedisServer& master, int count) {
  RawClient client(master);
  while (client.value({"WAIT", std::to_string(count), "100"}) != std::to_string(count)) continue;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool comes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

// One sentinel that is enough, and a master.
class Sentinel : public ::testing::Test {
 protected:
  std::string url(const std::vector<std::uint16_t>& ports,
                  const std::string& rest = "/mymaster") const {
    std::string hosts;
    for (const auto port : ports) hosts += (hosts.empty() ? "" : ",") + place_of(port);
    return "redis+sentinel://" + hosts + rest;
  }
  std::uint16_t port() { return sentinels_[0].port(); }

  RedisServer master_;
  RedisSentinels sentinels_{master_, 0, {.count = 1}};
};

TEST_F(Sentinel, leads_to_the_master) {
  expect_works(sentinels_.url());
  EXPECT_TRUE(open_store(master_.url()).list(of_thread("t")).items.empty());
  const auto found = "sentinel " + place_of(port()) + " names " + place_of(master_.port());
  expect_told_by_ping(sentinels_.url(), found);
  expect_told_by_ping(sentinels_.url(), "master 'mymaster' of sentinels " + place_of(port()));
  EXPECT_EQ(testing::examined(sentinels_.url(), "sentinel"), "good");
}

TEST_F(Sentinel, that_is_not_there_or_silent_is_passed_over_and_asked_last_from_then_on) {
  TcpProxy silent(port());
  silent.fall_silent();
  auto store = open_store(url({1, silent.port(), port()}, "/mymaster?connect_timeout=4s"));
  store.put(Draft("t", "1"));
  EXPECT_EQ(silent.counts().connections, 1U);
  RawClient(master_).run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  EXPECT_TRUE(store.get({"t", "", {}, {}}));
  EXPECT_EQ(silent.counts().connections, 1U) << "the one that answered is asked first";
}

TEST_F(Sentinel, that_none_answers_ends_in_time_with_what_each_said) {
  TcpProxy silent(port());
  silent.fall_silent();
  auto store = open_store(url({silent.port(), 1}));
  const Error error = error_of([&] { store.get({"t", "", {}, {}}, {Deadline::after(200ms), {}}); });
  EXPECT_EQ(error.code(), Code::unavailable) << error.what();
  for (const auto& said : {place_of(silent.port()) + ": it does not answer",
                           place_of(1) + ": cannot connect", std::string("'mymaster'")}) {
    EXPECT_TRUE(contains(error.message(), said)) << error.what();
  }
  expect_refused(url({silent.port()}, "/mymaster?connect_timeout=100ms"), Code::unavailable,
                 "it does not answer");
}

TEST_F(Sentinel, is_asked_until_the_call_is_stopped) {
  TcpProxy silent(port());
  silent.fall_silent();
  auto store = open_store(url({silent.port(), silent.port()}));
  std::stop_source source;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(50ms);
    source.request_stop();
  });
  EXPECT_EQ(code_of([&] {
              store.get({"t", "", {}, {}}, {Deadline::never(), source.get_token()});
            }),
            Code::cancelled);
}

TEST_F(Sentinel, that_does_not_know_the_master_or_is_none_says_so) {
  expect_refused(url({port()}, "/other"), Code::invalid_argument, "it knows no master 'other'");
  expect_refused(url({master_.port()}), Code::invalid_argument, "it is no sentinel");
  expect_refused("redis://" + place_of(port()), Code::invalid_argument, "redis+sentinel://");
  expect_refused(url({1, master_.port()}), Code::unavailable, "it is no sentinel");
  expect_works(url({master_.port(), port()}));
}

TEST_F(Sentinel, may_want_a_login_of_its_own) {
  sentinels_[0].run({"ACL", "SETUSER", "ada", "on", ">secret", "~*", "&*", "+@all"});
  sentinels_[0].run({"ACL", "SETUSER", "default", "resetpass", ">other"});
  expect_refused(sentinels_.url(), Code::denied, "sentinel_password");
  expect_refused(sentinels_.url("sentinel_password=wrong"), Code::denied, "sentinel_password");
  expect_works(sentinels_.url("sentinel_password=other"));
  expect_works(sentinels_.url("sentinel_user=ada&sentinel_password=secret"));
}

TEST_F(Sentinel, that_names_a_server_which_refuses_us_is_not_the_reason) {
  master_.run({"CONFIG", "SET", "requirepass", "secret"});
  expect_refused(sentinels_.url(), Code::denied, "the URL needs a password");
}

TEST_F(Sentinel, that_names_a_replica_is_not_believed) {
  const RedisServer other;
  auto store = open_store(sentinels_.url());
  store.put(Draft("t", "1"));
  master_.run({"REPLICAOF", "127.0.0.1", std::to_string(other.port())});
  const Error error = error_of([&] { store.put(Draft("t", "2")); });
  EXPECT_EQ(error.code(), Code::unavailable) << error.what();
  EXPECT_TRUE(contains(error.message(), "READONLY")) << error.what();
  const Error next = error_of([&] { store.get({"t", "", {}, {}}); });
  EXPECT_EQ(next.code(), Code::unavailable) << "not even read from";
  EXPECT_TRUE(contains(next.message(), "it names " + place_of(master_.port()))) << next.what();
  EXPECT_TRUE(contains(next.message(), "replica")) << next.what();
}

// By TLS to the sentinel and to the master, whose certificate names a host and not an address.
TEST(SentinelTls, leads_to_a_master_that_is_verified) {
  const RedisServer master({.tls = true});
  const auto monitor = "monitor mymaster localhost " + std::to_string(master.tls_port()) + " 1";
  const RedisServer sentinel({.tls = true,
                              .sentinel = true,
                              .settings = {{"tls-cert-file", master.certificate().string()},
                                           {"tls-key-file", master.key().string()},
                                           {"tls-ca-cert-file", master.ca_file().string()},
                                           {"tls-replication", "yes"},
                                           {"sentinel", "resolve-hostnames yes"},
                                           {"sentinel", "announce-hostnames yes"},
                                           {"sentinel", monitor}}});
  const auto port = std::to_string(sentinel.tls_port());
  const auto trusted = "?tls_ca=" + master.ca_file().string();
  expect_works("rediss+sentinel://localhost:" + port + "/mymaster" + trusted);
  expect_refused("rediss+sentinel://127.0.0.1:" + port + "/mymaster" + trusted, Code::unavailable,
                 "certificate verify failed");
}

TEST(Replica, closes_all_connections_when_it_says_what_it_is) {
  RedisServer server;
  const RedisServer other;
  TcpProxy proxy(server.port());
  auto store = open_store(proxy.in_front_of(server.url()));
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { store.put(Draft("t" + std::to_string(i), "1")); });
  }
  for (auto& thread : threads) thread.join();
  server.run({"REPLICAOF", "127.0.0.1", std::to_string(other.port())});
  EXPECT_TRUE(contains(error_of([&] { store.put(Draft("t", "2")); }).message(), "READONLY"));
  EXPECT_TRUE(comes_true([&] { return proxy.counts().open == 0; }));
  const auto large = Draft("t", "2").value("a", "1", std::string(100'000, 'x'));
  server.run({"REPLICAOF", "NO", "ONE"});
  store.put(large);
  server.run({"REPLICAOF", "127.0.0.1", std::to_string(other.port())});
  EXPECT_TRUE(contains(error_of([&] { store.put(large); }).message(), "READONLY"));
  EXPECT_TRUE(comes_true([&] { return proxy.counts().open == 0; })) << "after a transaction too";
}

// One who writes, and what was acknowledged.
class Writer {
 public:
  Writer(AccessKind kind, const std::string& url, std::string thread)
      : access_(testing::make_access(kind, open(url))), thread_(std::move(thread)) {}

  void write_until(const std::atomic<bool>& stop) {
    for (int i = 1; !stop; ++i) put_until(stop, i);
  }
  int acknowledged() const { return acknowledged_; }
  int failures() const { return failures_; }

  void expect_all_there(Checkpointer& store) const {
    for (const int number : ledger_) {
      const auto tuple = store.get({thread_, "", padded(number), {}});
      ASSERT_TRUE(tuple) << thread_ << " " << number;
      EXPECT_EQ(tuple->values.size(), 1U);
    }
  }

 private:
  void put_until(const std::atomic<bool>& stop, int number) {
    const auto id = padded(number);
    // Small values go through scripts, large ones beside them.
    const std::string value(number % 2 == 0 ? 20 : 20'000, 'x');
    while (!stop) {
      try {
        access_->write(PutCheckpoint(Draft(thread_, id).value("a", id, value)),
                       {Deadline::after(10s), {}});
        ledger_.insert(number);
        ++acknowledged_;
        return;
      } catch (const Error& error) {
        EXPECT_TRUE(is_outage(error.code())) << error.what();
        ++failures_;
        std::this_thread::sleep_for(5ms);
      }
    }
  }

  const std::unique_ptr<testing::Access> access_;
  const std::string thread_;
  std::atomic<int> acknowledged_ = 0;
  std::atomic<int> failures_ = 0;
  std::set<int> ledger_;
};

// A master with two replicas, three sentinels, and four who write; a write counts when both
// replicas have it. All keep their data on disk: a master that came back with nothing, and as a
// master, would empty who follows it.
class Failover : public ::testing::TestWithParam<AccessKind> {
 protected:
  Failover() {
    wait_for_replicas(*servers_[0], 2);
    sentinels_.emplace(*servers_[0], 2);
    for (int i = 0; i < 4; ++i) {
      writers_.emplace_back(GetParam(), url(), "writer" + std::to_string(i));
    }
    for (auto& writer : writers_) threads_.emplace_back([&] { writer.write_until(stop_); });
  }
  ~Failover() override {
    end();
    if (HasFailure()) report();
  }

  std::string url() const {
    return sentinels_->url("durability=replicas&replicas=2&durability_timeout=2s&pool_size=4");
  }
  // Every writer has so many more writes acknowledged.
  void expect_progress(int count = 10) {
    std::vector<int> goals;
    for (const auto& writer : writers_) goals.push_back(writer.acknowledged() + count);
    for (std::size_t i = 0; i < goals.size(); ++i) {
      EXPECT_TRUE(comes_true([&] { return writers_[i].acknowledged() >= goals[i]; }))
          << "writer " << i << " hangs";
    }
  }
  void wait_for_another_master(std::uint16_t before) {
    EXPECT_TRUE(comes_true([&] { return sentinels_->master_port() != before; })) << "no failover";
  }
  void end() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  void expect_all_there() {
    end();
    auto store = open_store(sentinels_->url());
    for (const auto& writer : writers_) writer.expect_all_there(store);
  }
  // What the sentinels decided, and the servers made of it.
  void report() {
    for (std::size_t i = 0; i < 3; ++i) {
      std::cout << "sentinel " << i << ":\n" << (*sentinels_)[i].log();
      std::cout << "server " << i << ":\n" << servers_[i]->log();
    }
  }
  bool any_failed() const {
    return std::any_of(writers_.begin(), writers_.end(),
                       [](const Writer& writer) { return writer.failures() > 0; });
  }

  std::vector<std::unique_ptr<RedisServer>> servers_ = make_servers();
  std::optional<RedisSentinels> sentinels_;
  std::deque<Writer> writers_;
  std::vector<std::thread> threads_;
  std::atomic<bool> stop_ = false;

 private:
  static std::vector<std::unique_ptr<RedisServer>> make_servers() {
    std::vector<std::unique_ptr<RedisServer>> servers;
    servers.push_back(std::make_unique<RedisServer>(RedisServer::Options{.durable = true}));
    for (int i = 0; i < 2; ++i) {
      servers.push_back(std::make_unique<RedisServer>(replica_of(*servers[0])));
    }
    return servers;
  }
};

TEST_P(Failover, of_a_killed_master_keeps_what_was_acknowledged) {
  expect_progress();
  const auto before = servers_[0]->port();
  servers_[0]->kill();
  wait_for_another_master(before);
  servers_[0]->start();  // The sentinels make a replica of it, and close its connections then.
  EXPECT_TRUE(comes_true([&] {
    try {
      return contains(servers_[0]->run({"INFO", "replication"}), "role:slave");
    } catch (const std::runtime_error&) {
      return false;
    }
  }));
  expect_progress();
  EXPECT_TRUE(any_failed());
  expect_all_there();
}

TEST_P(Failover, by_order_keeps_what_was_acknowledged) {
  expect_progress();
  const auto before = sentinels_->master_port();
  sentinels_->fail_over();
  wait_for_another_master(before);
  expect_progress();
  expect_all_there();
}

INSTANTIATE_TEST_SUITE_P(, Failover, ::testing::Values(AccessKind::sync, AccessKind::async),
                         [](const auto& test) { return testing::to_string(test.param); });

}  // namespace
}  // namespace threadkeep::redis_test
