// SPDX-License-Identifier: Apache-2.0
// What a server says when it is examined.
#include <gtest/gtest.h>

#include "examined.hpp"
#include "support.hpp"

namespace threadkeep::redis_test {
namespace {

using testing::examined;

TEST(Examine, finds_a_server_that_keeps_everything_good) {
  const RedisServer server({.durable = true, .settings = {{"maxmemory-policy", "noeviction"}}});
  for (const auto* subject :
       {"store", "clock", "eviction", "memory", "persistence", "connections"}) {
    EXPECT_EQ(examined(server.url(), subject), "good") << subject;
  }
}

TEST(Examine, warns_of_what_a_restart_loses) {
  EXPECT_TRUE(
      examined(RedisServer::shared().url(), "persistence").starts_with("warning: no append-only"));
}

TEST(Examine, warns_of_a_log_that_a_crash_may_tear) {
  const RedisServer server({.durable = true});
  server.run({"CONFIG", "SET", "aof-load-truncated", "yes"});
  EXPECT_TRUE(examined(server.url(), "persistence").starts_with("warning: a crash may tear"));
}

TEST(Examine, finds_eviction) {
  const RedisServer server({.settings = {{"maxmemory-policy", "allkeys-lru"}}});
  EXPECT_TRUE(examined(server.url(), "eviction").starts_with("warning: "));
  server.run({"CONFIG", "SET", "maxmemory", "100mb"});
  EXPECT_TRUE(examined(server.url(), "eviction").starts_with("problem: "));
}

TEST(Examine, finds_that_memory_runs_out) {
  const RedisServer server({.settings = {{"maxmemory", "100mb"}}});
  EXPECT_EQ(examined(server.url(), "memory"), "good");
  const auto used = server.run({"INFO", "memory"});
  const auto at = used.find("used_memory:") + std::string("used_memory:").size();
  server.run({"CONFIG", "SET", "maxmemory", std::to_string(std::stoll(used.substr(at)) + 50'000)});
  EXPECT_TRUE(examined(server.url(), "memory").starts_with("warning: "));
}

TEST(Examine, says_what_it_may_not_ask) {
  const RedisServer server({.settings = {{"user", "limited on nopass ~* &* +@all -info"}}});
  const auto url = "redis://limited:@127.0.0.1:" + std::to_string(server.port());
  EXPECT_TRUE(examined(url, "server").starts_with("warning: it does not answer INFO"));
  EXPECT_EQ(examined(url, "clock"), "good");
}

TEST(Examine, reports_a_server_that_is_not_there) {
  EXPECT_TRUE(examined("redis://127.0.0.1:1", "store").starts_with("problem: "));
  EXPECT_EQ(examined("redis://127.0.0.1:1", "memory"), "");
}

}  // namespace
}  // namespace threadkeep::redis_test
