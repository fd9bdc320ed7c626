// SPDX-License-Identifier: Apache-2.0
// What a server must be able to do for the durability that a URL asks for.
#include <gtest/gtest.h>

#include <chrono>

#include "support.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep::redis_test {
namespace {

using namespace std::chrono_literals;

TEST(Durability, is_told_by_capabilities_and_ping) {
  const RedisServer durable({.durable = true});
  const auto fsync = durable.url("durability=fsync");
  EXPECT_TRUE(open(fsync)->capabilities().durable);
  EXPECT_TRUE(open(durable.url("durability=replicas&replicas=2"))->capabilities().durable);
  EXPECT_FALSE(open(durable.url())->capabilities().durable);
  expect_told_by_ping(fsync, "durability fsync");
  expect_told_by_ping(durable.url(), "durability none");
}

TEST(Durability, by_fsync_needs_a_server_that_does_it) {
  expect_works(RedisServer({.durable = true}).url("durability=fsync"));
  const RedisServer careless;
  expect_refused(careless.url("durability=fsync"), Code::unsupported, "appendonly");
  EXPECT_FALSE(health_of(careless.url("durability=fsync")).ok);
}

TEST(Durability, by_fsync_waits_for_a_server_that_does_it_every_second) {
  const RedisServer server({.durable = true, .settings = {{"appendfsync", "everysec"}}});
  if (has_waitaof(server)) {
    expect_works(server.url("durability=fsync&durability_timeout=60s"));
  } else {
    expect_refused(server.url("durability=fsync"), Code::unsupported, "appendfsync always");
  }
}

TEST(Durability, by_fsync_needs_a_server_that_does_not_leave_it_to_the_system) {
  const RedisServer server({.durable = true, .settings = {{"appendfsync", "no"}}});
  const bool waits = has_waitaof(server);
  open_store(server.url()).put(Draft("t", "1"));
  expect_refused(server.url("durability=fsync&durability_timeout=200ms"),
                 waits ? Code::unavailable : Code::unsupported, "appendfsync always");
}

TEST(Durability, by_fsync_notices_a_server_that_has_become_careless) {
  const RedisServer server({.durable = true});
  RawClient client(server);
  auto store = open_store(server.url("durability=fsync"));
  store.put(Draft("t", "1"));
  client.run({"CONFIG", "SET", "appendonly", "no"});
  if (has_waitaof(server)) {
    const Error error = error_of([&] { store.put(Draft("t", "2")); });
    EXPECT_EQ(error.code(), Code::outcome_unknown) << error.what();
    EXPECT_NE(error.message().find("appendonly"), std::string::npos) << error.what();
  }
  client.run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  const Error error = error_of([&] { store.put(Draft("t", "3")); });
  EXPECT_EQ(error.code(), Code::unsupported) << error.what();
}

TEST(Durability, by_fsync_on_a_server_that_tells_no_configuration_needs_waitaof) {
  const RedisServer server({.durable = true, .settings = {{"rename-command", "CONFIG \"\""}}});
  if (has_waitaof(server)) {
    expect_works(server.url("durability=fsync"));
  } else {
    expect_refused(server.url("durability=fsync"), Code::unsupported,
                   "does not tell its configuration");
  }
}

TEST(Durability, by_fsync_takes_one_round_trip) {
  const RedisServer server({.durable = true});
  testing::TcpProxy proxy(server.port());
  auto store = open_store(proxy.in_front_of(server.url("durability=fsync")));
  store.put(Draft("t", "1"));
  const auto before = proxy.counts().turns;
  store.put(Draft("t", "2"));
  EXPECT_EQ(proxy.counts().turns - before, 1U);
}

TEST(Durability, by_replicas_needs_them) {
  const RedisServer master;
  expect_refused(master.url("durability=replicas&durability_timeout=100ms"), Code::unavailable,
                 "only 0 of 1 replicas");
  const auto place = "127.0.0.1 " + std::to_string(master.port());
  auto replica =
      std::make_unique<RedisServer>(RedisServer::Options{.settings = {{"replicaof", place}}});
  RawClient client(*replica);
  RawClient raw_master(master);
  while (raw_master.value({"WAIT", "1", "100"}) != "1") continue;
  auto store = open_store(master.url("durability=replicas&durability_timeout=60s"));
  expect_told_by_ping(master.url("durability=replicas"), "durability replicas 1");
  store.put(Draft("t", "1"));
  EXPECT_EQ(client.keys("*:t:t").size(), 1U) << "the replica has what was confirmed";
  expect_refused(master.url("durability=replicas&replicas=2&durability_timeout=100ms"),
                 Code::unavailable, "only 1 of 2 replicas");
}

TEST(Durability, by_replicas_that_are_gone_leaves_the_outcome_open) {
  const RedisServer master;
  const auto place = "127.0.0.1 " + std::to_string(master.port());
  RedisServer replica({.settings = {{"replicaof", place}}});
  RawClient raw_master(master);
  while (raw_master.value({"WAIT", "1", "100"}) != "1") continue;
  const auto url = master.url("durability=replicas&durability_timeout=1s");
  auto store = open_store(url);
  store.put(Draft("t", "1"));
  replica.kill();
  expect_refused(url, Code::unavailable, "only 0 of 1 replicas");
  const Error error = error_of([&] { store.put(Draft("t", "2").parent("1")); });
  EXPECT_EQ(error.code(), Code::outcome_unknown) << error.what();
  EXPECT_EQ(store.get({"t", "", {}, {}})->checkpoint_id, "2") << "it can be read";
}

// The second time nothing is stored, and the first time is still to be confirmed.
TEST(Durability, by_replicas_is_not_confirmed_by_sending_it_again) {
  const RedisServer master;
  testing::TcpProxy between(master.port());
  const auto place = "127.0.0.1 " + std::to_string(between.port());
  const RedisServer replica({.settings = {{"replicaof", place}}});
  RawClient raw_master(master);
  while (raw_master.value({"WAIT", "1", "100"}) != "1") continue;
  auto store = open_store(master.url("durability=replicas&durability_timeout=200ms"));
  store.put(Draft("t", "1"));
  between.fall_silent();
  for (int attempt = 0; attempt < 3; ++attempt) {
    EXPECT_EQ(code_of([&] { store.put(Draft("t", "2").parent("1")); }), Code::outcome_unknown);
  }
  between.pass();
  auto patient = open_store(master.url("durability=replicas&durability_timeout=60s"));
  patient.put(Draft("t", "2").parent("1"));
  EXPECT_EQ(RawClient(replica).value({"ZCARD", replica.run({"KEYS", "*:i:t"})}), "2");
}

}  // namespace
}  // namespace threadkeep::redis_test
