// SPDX-License-Identifier: Apache-2.0
// Ways to a server, and servers that cannot hold a store.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "layout.hpp"
#include "support.hpp"

namespace threadkeep::redis_test {
namespace {

using namespace std::chrono_literals;

void expect_works(const std::string& url) {
  auto store = open_store(url);
  store.put(Draft("t", "1").value("a", "1", "x"));
  EXPECT_EQ(store.get({"t", "", {}, {}})->values.size(), 1U) << url;
  store.delete_thread("t");
}

void expect_refused(const std::string& url, Code code, const std::string& part) {
  const Error error = error_of([&] { open_store(url).put(Draft("t", "1")); });
  EXPECT_EQ(error.code(), code) << error.what();
  EXPECT_NE(error.message().find(part), std::string::npos) << error.what();
}

TEST(Access, goes_over_tcp_and_a_unix_socket_to_one_store) {
  auto& server = RedisServer::shared();
  open_store(server.url("prefix=both")).put(Draft("t", "1"));
  EXPECT_TRUE(open_store(server.unix_url("prefix=both")).get({"t", "", {}, {}}));
  EXPECT_TRUE(open_store("redis://localhost:" + std::to_string(server.port()) + "?prefix=both")
                  .get({"t", "", {}, {}}));
}

TEST(Access, keeps_prefixes_and_databases_apart) {
  auto& server = RedisServer::shared();
  const auto base = "redis://127.0.0.1:" + std::to_string(server.port());
  open_store(base + "/1?prefix=a").put(Draft("t", "1"));
  EXPECT_FALSE(open_store(base + "/1?prefix=ab").get({"t", "", {}, {}}));
  EXPECT_FALSE(open_store(base + "/2?prefix=a").get({"t", "", {}, {}}));
  EXPECT_TRUE(open_store(server.unix_url("prefix=a&db=1")).get({"t", "", {}, {}}));
  expect_refused(base + "/16", Code::invalid_argument, "has not so many databases");
}

TEST(Access, needs_the_password) {
  const RedisServer server({.settings = {{"requirepass", "canary"}}});
  const auto at = "@127.0.0.1:" + std::to_string(server.port());
  expect_works("redis://:canary" + at);
  expect_works("redis://default:canary" + at);
  expect_refused("redis://127.0.0.1:" + std::to_string(server.port()), Code::denied, "password");
  expect_refused("redis://:wrong" + at, Code::denied, "password");
  setenv("THREADKEEP_TEST_PASSWORD", "canary", 1);
  expect_works(server.url("password_env=THREADKEEP_TEST_PASSWORD"));
  EXPECT_EQ(health_of("redis://:canary" + at).detail.find("canary"), std::string::npos);
}

// The rights that docs/storage/redis.md names are enough, and no administrator's are needed.
TEST(Access, needs_few_rights) {
  const RedisServer server;
  RawClient(server).run({"ACL", "SETUSER", "app", "on", ">secret", "resetkeys", "~threadkeep:*",
                         "-@all", "+@read", "+@write", "+@transaction", "+@scripting",
                         "+@connection", "-@dangerous", "+time"});
  const auto url = "redis://app:secret@127.0.0.1:" + std::to_string(server.port());
  auto store = open_store(url);
  store.put(
      Draft("t", "1").metadata(R"({"run_id": "r"})").value("a", "1", std::string(100'000, 'x')));
  store.put_writes({"t", "", "1", {pending("x", 0, "a", "x")}});
  store.put_thread({"t", R"({"a": 1})"});
  store.copy_thread("t", "u");
  EXPECT_EQ(store.list({}).items.size(), 2U);
  EXPECT_EQ(store.history({"t", "", "1", {"a"}}).size(), 1U);
  EXPECT_EQ(store.threads({}).items.size(), 2U);
  prune(store, "t");
  store.delete_runs({"r"});
  store.delete_thread("u");
  EXPECT_TRUE(health_of(url).ok) << health_of(url).detail;
  expect_refused(url + "?prefix=other", Code::denied, "NOPERM");
}

TEST(Access, over_tls_verifies_the_server) {
  const RedisServer server({.tls = true});
  const auto port = std::to_string(server.tls_port());
  const auto ca = "?tls_ca=" + server.ca_file().string();
  expect_works("rediss://localhost:" + port + ca);
  auto store = open_store("rediss://localhost:" + port + ca + "&prefix=large");
  const std::string large(8 * 1024 * 1024, 'x');
  store.put(Draft("t", "1").value("a", "1", large));
  EXPECT_TRUE(store.get({"t", "", {}, {}})->values.at(0).data.view() == large);
  expect_refused("rediss://localhost:" + port, Code::unavailable, "certificate verify failed");
  // The certificate is trusted, and of another name.
  expect_refused("rediss://127.0.0.1:" + port + ca, Code::unavailable, "certificate verify failed");
  expect_refused("rediss://localhost:" + port + "?tls_ca=/nowhere", Code::invalid_argument,
                 "tls_ca");
  expect_refused("rediss://localhost:" + std::to_string(server.port()) + ca, Code::unavailable, "");
  expect_refused("redis://localhost:" + port, Code::unavailable, "");
}

TEST(Access, is_refused_by_a_node_of_a_cluster) {
  const RedisServer server({.settings = {{"cluster-enabled", "yes"}}});
  expect_refused(server.url(), Code::unsupported, "cluster");
}

TEST(Access, is_refused_by_a_replica) {
  const RedisServer master;
  const RedisServer replica(
      {.settings = {{"replicaof", "127.0.0.1 " + std::to_string(master.port())}}});
  expect_refused(replica.url(), Code::unavailable, "replica");
}

TEST(Access, is_refused_by_a_store_of_another_format) {
  const RedisServer server;
  RawClient client(server);
  client.run({"HSET", redis::meta_key("new"), "format", "2", "buckets", "256"});
  expect_refused(server.url("prefix=new"), Code::unsupported, "format 2");
  client.run({"SET", redis::meta_key("text"), "x"});
  expect_refused(server.url("prefix=text"), Code::corrupt, "");
}

TEST(Access, is_an_error_where_nothing_answers) {
  expect_refused("redis://127.0.0.1:1", Code::unavailable, "cannot connect");
  expect_refused("redis+unix:///nowhere/socket", Code::unavailable, "cannot connect");
  expect_refused("redis://no-such-host.invalid", Code::unavailable, "not known");
  const auto health = health_of("redis://127.0.0.1:1");
  EXPECT_FALSE(health.ok);
  EXPECT_NE(health.detail.find("cannot connect"), std::string::npos) << health.detail;
}

TEST(Access, is_told_by_ping) {
  const auto detail = health_of(RedisServer::shared().url("prefix=ping")).detail;
  EXPECT_NE(detail.find("redis 7."), std::string::npos) << detail;
  EXPECT_NE(detail.find("prefix 'ping'"), std::string::npos) << detail;
  EXPECT_NE(detail.find("durability none"), std::string::npos) << detail;
}

TEST(Eviction, that_would_tear_threads_is_reported) {
  const RedisServer server(
      {.settings = {{"maxmemory", "100mb"}, {"maxmemory-policy", "allkeys-lru"}}});
  RawClient client(server);
  EXPECT_FALSE(health_of(server.url()).ok);
  EXPECT_NE(health_of(server.url()).detail.find("allkeys-lru"), std::string::npos);
  client.run({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(health_of(server.url()).ok);
  EXPECT_NE(health_of(server.url()).detail.find("allkeys-lru"), std::string::npos);
  client.run({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  EXPECT_EQ(health_of(server.url()).detail.find("maxmemory"), std::string::npos);
}

TEST(Eviction, of_a_part_of_a_thread_is_an_error_and_never_an_empty_thread) {
  const RedisServer server;
  RawClient client(server);
  auto store = open_store(server.url());
  for (const char* lost : {"t", "i"}) {
    SCOPED_TRACE(lost);
    store.put(Draft("t", "1").value("a", "1", "x"));
    store.put(Draft("t", "2").parent("1").value("a", "2", "x"));
    const redis::Keys keys("threadkeep", "t");
    client.run({"DEL", *lost == 't' ? keys.thread : keys.index});
    EXPECT_EQ(code_of([&] { store.get({"t", "", {}, {}}); }), Code::corrupt);
    EXPECT_EQ(code_of([&] { store.get({"t", "", "1", {}}); }), Code::corrupt);
    EXPECT_EQ(code_of([&] { store.list(of_thread("t")); }), Code::corrupt);
    store.delete_thread("t");
    EXPECT_FALSE(store.get({"t", "", {}, {}}));
  }
}

TEST(Eviction, is_not_needed_for_reads_of_a_server_that_is_full) {
  const RedisServer server({.settings = {{"maxmemory-policy", "noeviction"}}});
  RawClient client(server);
  auto store = open_store(server.url("ttl=1h"));
  store.put(Draft("t", "1").value("a", "1", "x"));
  store.put(Draft("u", "1"));
  client.run({"CONFIG", "SET", "maxmemory", "1"});
  for (const std::string& value : {std::string("small"), std::string(100'000, 'x')}) {
    const Error error = error_of([&] { store.put(Draft("t", "2").value("a", "2", value)); });
    EXPECT_EQ(error.code(), Code::no_space) << error.what();
  }
  for (const auto& key : client.keys("*:[ti]:*")) client.run({"PEXPIRE", key, "60000"});
  EXPECT_EQ(store.get({"t", "", {}, {}})->checkpoint_id, "1");
  EXPECT_EQ(store.threads({}).items.size(), 2U);
  store.delete_thread("t");
  EXPECT_FALSE(store.get({"t", "", {}, {}}));
  client.run({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(code_of([&] { store.put(Draft("t", "2").parent("1")); }), Code::conflict);
}

TEST(Durability, by_fsync_needs_a_server_that_does_it) {
  const RedisServer careless;
  expect_refused(careless.url("durability=fsync"), Code::unsupported, "appendonly yes");
  const RedisServer durable({.durable = true});
  expect_works(durable.url("durability=fsync"));
  EXPECT_TRUE(open(durable.url("durability=fsync"))->capabilities().durable);
  EXPECT_FALSE(open(durable.url())->capabilities().durable);
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
  auto store = open_store(master.url("durability=replicas&durability_timeout=5s"));
  store.put(Draft("t", "1"));
  EXPECT_EQ(client.keys("*:t:t").size(), 1U) << "the replica has what was confirmed";
  replica->kill();
  auto impatient = open_store(master.url("durability=replicas&durability_timeout=100ms"));
  EXPECT_EQ(code_of([&] { impatient.put(Draft("t", "2")); }), Code::unavailable);
  auto hurried = error_of([&] { store.put(Draft("t", "2").parent("1")); });
  EXPECT_EQ(hurried.code(), Code::outcome_unknown) << hurried.what();
  EXPECT_EQ(store.get({"t", "", {}, {}})->checkpoint_id, "2");
}

}  // namespace
}  // namespace threadkeep::redis_test
