// SPDX-License-Identifier: Apache-2.0
// Users with few rights, and proxies that forbid the commands of administrators.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "operations.hpp"
#include "threadkeep/retention/retention.hpp"
#include "threadkeep/retention_host.hpp"
#include "threadkeep/store.hpp"
#include "threadkeep/transfer_host.hpp"

namespace threadkeep::redis_test {
namespace {

using Words = std::vector<std::string>;

// The rule as docs/operation/redis.md prints it.
Words documented_rule() {
  std::ifstream page(THREADKEEP_REDIS_OPERATION);
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("ACL SETUSER ")) continue;
    std::istringstream words(line);
    return {std::istream_iterator<std::string>(words), {}};
  }
  ADD_FAILURE() << "there is no rule in " THREADKEEP_REDIS_OPERATION;
  return {};
}

void add_user(const RedisServer& server, const Words& more = {}) {
  auto rule = documented_rule();
  rule.insert(rule.end(), more.begin(), more.end());
  EXPECT_EQ(RawClient(server).value(rule), "OK");
}

std::string url_of_user(const RedisServer& server, const std::string& parameters = {}) {
  return "redis://app:secret@127.0.0.1:" + std::to_string(server.port()) + "?" + parameters;
}

void expect_retention_works(const std::string& url) {
  Store store(Registry::builtin().open(url));
  const auto retention = retention::open_retention(store);
  retention->install(Call());
  retention->apply(retention::policies_from_json(R"([{"name": "all"}])"), Call());
  for (const char* thread : {"expired", "pinned"}) {
    store.write(Draft(thread, "1").value("a", "1", "x"), Call());
    store.write(PutWrites{thread, "", "1", {pending("task", 0, "a", "x")}}, Call());
    retention->expire(thread, 1, Call());
  }
  retention->pin("pinned", Call());
  EXPECT_EQ(retention->preview(Call()).size(), 1U);
  EXPECT_EQ(retention->sweep({}, Call()).swept.threads, 1U);
  EXPECT_EQ(retention->runs(1, Call()).front().state, "done");
  EXPECT_FALSE(retention->audit("", 10, Call()).items.empty());
  store.write(DeleteThread{"pinned"}, Call());
}

void expect_all_operations_work(const std::string& url) {
  auto store = open_store(url);
  fill(store);
  for (const auto& operation : operations()) {
    SCOPED_TRACE(operation.name);
    operation.run(store, {});
  }
  for (const char* thread : {"t", "u"}) store.delete_thread(thread);
  expect_retention_works(url);
  Store target(Registry::builtin().open(url));
  target.retention()->transfer()->lock({}, {}, Call())->check(Call());
  EXPECT_TRUE(health_of(url).ok) << health_of(url).detail;
}

TEST(Rights, that_the_documentation_names_are_enough) {
  const RedisServer server;
  add_user(server);
  expect_all_operations_work(url_of_user(server));
  expect_all_operations_work(url_of_user(server, "ttl=1h"));
  expect_refused(url_of_user(server, "prefix=other"), Code::denied, "NOPERM");
}

TEST(Rights, for_durability_are_those_of_the_documentation) {
  const RedisServer server({.durable = true});
  add_user(server, {"+wait"});
  expect_refused(url_of_user(server, "durability=replicas&durability_timeout=100ms"),
                 Code::unavailable, "only 0 of 1");
  const auto fsync = url_of_user(server, "durability=fsync");
  if (!has_waitaof(server)) {
    expect_refused(fsync, Code::unsupported, "does not tell its configuration");
    add_user(server, {"+config|get"});
  }
  expect_works(fsync);
}

TEST(Rights, of_an_administrator_are_not_needed) {
  std::vector<std::pair<std::string, std::string>> forbidden;
  for (const char* command :
       {"ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "HELLO", "INFO", "KEYS", "MODULE",
        "MONITOR", "RANDOMKEY", "ROLE", "SCAN", "SCRIPT", "SHUTDOWN", "SLOWLOG"}) {
    forbidden.emplace_back("rename-command", std::string(command) + " \"\"");
  }
  const RedisServer server({.settings = forbidden});
  expect_all_operations_work(server.url());
}

TEST(Rights, that_are_missing_leave_the_eviction_policy_unchecked) {
  const RedisServer server({.settings = {{"rename-command", "INFO \"\""}}});
  expect_told_by_ping(server.url(), "maxmemory-policy could not be checked");
  EXPECT_TRUE(health_of(server.url()).ok);
  add_user(server);
  expect_told_by_ping(url_of_user(server), "maxmemory-policy could not be checked");
}

}  // namespace
}  // namespace threadkeep::redis_test
