// SPDX-License-Identifier: Apache-2.0
// Ways to a server, and servers that cannot hold a store.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "layout.hpp"
#include "support.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::redis_test {
namespace {

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
  const testing::TemporaryDirectory directory;
  std::ofstream(directory.path() / "secret") << "canary\n";
  const auto file = "password_file=" + (directory.path() / "secret").string();
  expect_works(server.url(file));
  expect_works(server.unix_url("user=default&" + file));
  EXPECT_EQ(health_of("redis://:canary" + at).detail.find("canary"), std::string::npos);
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
  client.run({"HSET", redis::meta_key("new"), "format", "3", "buckets", "256"});
  expect_refused(server.url("prefix=new"), Code::unsupported, "format 3");
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
  const auto hello = RawClient(RedisServer::shared()).run({"HELLO", "2"});
  EXPECT_EQ(detail.find(hello.at(1) + " " + hello.at(3) + " at "), 0U) << detail;
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

}  // namespace
}  // namespace threadkeep::redis_test
