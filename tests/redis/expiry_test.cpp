// SPDX-License-Identifier: Apache-2.0
// A thread expires as a whole: all its keys have one deadline, at every step.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "layout.hpp"
#include "support.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep::redis_test {
namespace {

using namespace std::chrono_literals;

class Expiry : public ::testing::Test {
 protected:
  void expect_one_lifetime(std::int64_t least, std::int64_t greatest, const std::string& after) {
    SCOPED_TRACE(after);
    std::set<std::int64_t> found;
    for (const auto& [key, left] : client_.lifetimes("*:[ti]:*")) {
      EXPECT_GE(left, least) << key;
      EXPECT_LE(left, greatest) << key;
      found.insert(left);
    }
    EXPECT_EQ(found.size(), 1U);
  }

  std::string url(const std::string& parameters = {}) const { return server_.url(parameters); }

  // All keys of threads have so many milliseconds left.
  void shorten(std::int64_t left) {
    client_.run({"EVAL",
                 "local now = redis.call('TIME') "
                 "local at = string.format('%.0f', now[1] * 1000 + ARGV[1]) "
                 "for _, key in ipairs(redis.call('KEYS', '*:[ti]:*')) do "
                 "redis.call('PEXPIREAT', key, at) end",
                 "0", std::to_string(left)});
  }

  // Another thread of the same bucket.
  static std::string neighbour_of(const std::string& thread) {
    for (int i = 0;; ++i) {
      auto id = "thread-" + std::to_string(i);
      if (redis::bucket_of(id) == redis::bucket_of(thread)) return id;
    }
  }

  RedisServer server_;
  RawClient client_{server_};
};

constexpr std::int64_t hour = 3'600'000;

TEST_F(Expiry, is_the_same_for_all_keys_after_every_put) {
  auto store = open_store(url("ttl=1h"));
  const std::string large(100'000, 'x');
  const auto after = [&](const std::string& step) {
    expect_one_lifetime(hour - 30'000, hour, step);
  };
  store.put_writes({"t", "", "1", {pending("task", 0, "a", "x")}});
  after("put_writes before the checkpoint");
  store.put(Draft("t", "1").value("a", "1", "x"));
  after("put");
  store.put(Draft("t", "2").parent("1").value("a", "2", large));
  after("a large put");
  store.put_writes({"t", "", "2", {pending("task", 0, "a", large), pending("x", -1, "a", large)}});
  after("large put_writes");
  store.put_thread({"t", R"({"a": 1})"});
  after("put_thread");
  store.put(Draft("t", "2").parent("1").value("a", "2", large));
  after("a put again");
  EXPECT_EQ(code_of([&] { store.put(Draft("t", "3").require_latest_parent()); }), Code::conflict);
  after("a refused put");
  store.get({"t", "", {}, {}});
  store.list(of_thread("t"));
  store.history({"t", "", {}, {"a"}});
  after("reads");
}

TEST_F(Expiry, is_the_same_for_all_keys_after_every_deletion_and_copy) {
  auto store = open_store(url("ttl=1h"));
  const auto after = [&](const std::string& step) {
    expect_one_lifetime(hour - 30'000, hour, step);
  };
  store.put(Draft("t", "1").value("a", "1", "x"));
  store.put(Draft("t", "2").parent("1").value("a", "2", "x"));
  prune(store, "t");
  after("prune");
  store.put(Draft("t", "3").parent("2").metadata(R"({"run_id": "r"})"));
  store.delete_runs({"r"});
  after("delete_runs");
  store.delete_thread("t");
  after("delete_thread");
  store.put_writes({"t", "", "1", {pending("task", 0, "a", "x")}});
  after("put_writes that are dropped");
  store.put(Draft("t", "4").value("a", "4", "x"));
  after("a put after the deletion");
  open_store(url()).put(Draft("s", "1").value("a", "1", "x"));
  store.copy_thread("s", "u");
  EXPECT_EQ(client_.keys("*:[ti]:u").size(), 2U);
  for (const auto& [key, left] : client_.lifetimes("*:[ti]:u")) EXPECT_GT(left, 0) << key;
  for (const auto& [key, left] : client_.lifetimes("*:[ti]:s")) EXPECT_EQ(left, -1) << key;
}

TEST_F(Expiry, is_the_same_for_all_keys_after_every_change_of_messages_and_state) {
  auto store = open_sessions(url("ttl=1h"));
  const auto of_t = StateScope::of_thread("t");
  const auto after = [&](const std::string& step) {
    expect_one_lifetime(hour - 30'000, hour, step);
    EXPECT_EQ(client_.keys("*:[ti]:t").size(), 2U) << step;
    shorten(60'000);
  };
  store.append(messages_for("t", {"a", "b", "c", "d"}));
  after("the first append");
  store.append(messages_for("t", {"e"}));
  after("append");
  store.append(messages_for("t", {"e"}));
  after("an append again");
  store.update({"t", "a", "2", {}, {}});
  after("update");
  store.pop({"t", "", 1, "op"});
  after("pop");
  store.pop({"t", "", 1, "op"});
  after("a pop again");
  store.remove({"t", {"a"}});
  after("remove");
  store.put_state(of_t, "k", "1");
  after("put_state");
  store.merge_state(of_t, "k", R"({"a": 1})");
  after("merge_state");
  store.clear({"t", {}});
  after("clear");
  store.messages(messages_of("t"));
  after("a late page");
  store.state({of_t, "k"});
  after("a late read of state");
  store.message({"t", "a"});
  after("a late look for a message");
  store.count(messages_of("t"));
  after("a late count");
  store.delete_state(of_t, "k");
  after("delete_state");
  open_sessions(url()).append(messages_for("t", {"z"}));
  expect_one_lifetime(0, 60'000, "an append without ttl");
}

TEST_F(Expiry, does_not_take_the_state_of_a_name) {
  auto store = open_sessions(url("ttl=1h"));
  const auto scope = StateScope::named("n");
  store.put_state(scope, "k", "1");
  store.put_state(scope, "k", "2");
  store.state({scope, "k"});
  const auto lifetimes = client_.lifetimes("*:[nj]:*");
  EXPECT_EQ(lifetimes.size(), 2U);
  for (const auto& [key, left] : lifetimes) EXPECT_EQ(left, -1) << key;
}

TEST_F(Expiry, takes_messages_and_state_whole) {
  auto store = open_sessions(url("ttl=1s"));
  auto append = messages_for("t", {"a"});
  append.state = {{"k", StateChange::Kind::put, "1", {}}};
  store.append(append);
  std::this_thread::sleep_for(1200ms);
  EXPECT_TRUE(store.messages(messages_of("t")).items.empty());
  EXPECT_FALSE(store.state({StateScope::of_thread("t"), "k"}));
  EXPECT_EQ(store.append(append).messages.at(0).seq, 1);
}

TEST_F(Expiry, that_comes_between_the_steps_of_a_read_leaves_no_part) {
  testing::TcpProxy proxy(server_.port());
  auto store = open_store(proxy.in_front_of(url("script_bytes=10")));
  store.get({"t", "", {}, {}});
  for (const auto& read : std::vector<std::function<bool()>>{
           [&] {
             return store.get({"t", "", {}, {}}).has_value();
           },
           [&] { return !store.list(of_thread("t")).items.empty(); }}) {
    open_store(url()).put(Draft("t", "1").value("a", "1", std::string(1000, 'x')));
    shorten(600);
    proxy.delay(200ms);
    EXPECT_FALSE(read()) << "the values take another 400 ms";
    proxy.pass();
  }
}

TEST_F(Expiry, takes_whole_threads_and_their_names) {
  auto store = open_store(url("ttl=1500ms"));
  store.put(Draft("t", "1").value("a", "1", "x"));
  store.put_writes({"t", "", "1", {pending("task", 0, "a", "x")}});
  std::this_thread::sleep_for(1700ms);
  EXPECT_FALSE(store.get({"t", "", {}, {}}));
  EXPECT_TRUE(store.threads({}).items.empty());
  EXPECT_TRUE(store.list({}).items.empty());
  // A tombstone would refuse this.
  store.put(Draft("t", "2").parent("1"));
  EXPECT_EQ(store.threads({}).items.size(), 1U);
}

TEST_F(Expiry, removes_names_from_the_registry_with_later_writes) {
  auto store = open_store(url("ttl=1s"));
  const std::string other = neighbour_of("t");
  store.put(Draft("t", "1"));
  std::this_thread::sleep_for(1200ms);
  store.put(Draft(other, "1"));
  const redis::Keys keys("threadkeep", other);
  EXPECT_EQ(client_.run({"ZRANGE", keys.registry, "0", "-1"}), std::vector<std::string>{other});
  EXPECT_EQ(client_.run({"ZRANGE", keys.deadlines, "0", "-1"}), std::vector<std::string>{other});
}

TEST_F(Expiry, of_large_writes_before_any_checkpoint_is_that_of_both_keys) {
  auto store = open_store(url("ttl=1h"));
  const std::string large(100'000, 'x');
  store.put_writes({"t", "", "1", {pending("task", 0, "a", large)}});
  EXPECT_EQ(client_.keys("*:[ti]:*").size(), 2U);
  expect_one_lifetime(hour - 30'000, hour, "the first writes");
  store.copy_thread("t", "u");
  EXPECT_EQ(client_.keys("*:[ti]:u").size(), 2U);
  for (const auto& [key, left] : client_.lifetimes("*:[ti]:u")) EXPECT_GT(left, 0) << key;
  store.delete_thread("u");
  store.put_writes({"u", "", "1", {pending("task", -1, "a", "small")}});
  open_store(url()).put_writes({"u", "", "1", {pending("task", -1, "a", large)}});
  for (const auto& [key, left] : client_.lifetimes("*:[ti]:u")) EXPECT_GT(left, 0) << key;
}

TEST_F(Expiry, does_not_take_the_name_of_a_thread_that_was_made_anew) {
  auto expiring = open_store(url("ttl=500ms"));
  auto staying = open_store(url());
  expiring.put(Draft("t", "1"));
  std::this_thread::sleep_for(700ms);
  staying.put(Draft("t", "2"));
  expiring.put(Draft(neighbour_of("t"), "1"));
  EXPECT_TRUE(staying.get({"t", "", {}, {}}));
  const auto threads = staying.threads({}).items;
  EXPECT_TRUE(std::any_of(threads.begin(), threads.end(),
                          [](const ThreadInfo& thread) { return thread.thread_id == "t"; }));
}

TEST_F(Expiry, begins_anew_with_equal_metadata) {
  auto store = open_store(url("ttl=1h"));
  for (const char* metadata : {R"({"a": 1})", R"({"a":1.0})"}) {
    store.put_thread({"t", R"({"a": 1})"});
    shorten(60'000);
    store.put_thread({"t", metadata});
    expect_one_lifetime(hour - 30'000, hour, metadata);
  }
}

TEST_F(Expiry, begins_anew_with_reads_when_less_than_half_is_left) {
  auto store = open_store(url("ttl=1h"));
  store.put(Draft("t", "1").value("a", "1", "x"));
  shorten(hour / 2 + 60'000);
  store.get({"t", "", {}, {}});
  expect_one_lifetime(hour / 2, hour / 2 + 61'000, "an early read");
  shorten(hour / 2 - 60'000);
  store.get({"t", "", {}, {}});
  expect_one_lifetime(hour - 30'000, hour, "a late read");
  shorten(hour / 2 - 60'000);
  store.list(of_thread("t"));
  expect_one_lifetime(hour - 30'000, hour, "a late list");
  shorten(hour / 2 - 60'000);
  store.history({"t", "", {}, {"a"}});
  expect_one_lifetime(hour - 30'000, hour, "a late history");
}

TEST_F(Expiry, that_is_there_stays_for_writers_that_set_none) {
  auto expiring = open_store(url("ttl=1h"));
  auto staying = open_store(url());
  expiring.put_thread({"t", R"({"a": 1})"});
  EXPECT_EQ(client_.keys("*:i:*").size(), 0U);
  staying.put_writes({"t", "", "1", {pending("task", 0, "a", "x")}});
  EXPECT_EQ(client_.keys("*:i:*").size(), 1U);
  expect_one_lifetime(hour - 30'000, hour, "put_writes");
  staying.put(Draft("t", "1"));
  expect_one_lifetime(hour - 30'000, hour, "put");
}

TEST_F(Expiry, does_not_come_by_itself) {
  auto store = open_store(url());
  store.put(Draft("t", "1").value("a", "1", "x"));
  store.put_writes({"t", "", "1", {pending("task", 0, "a", "x")}});
  for (const auto& [key, left] : client_.lifetimes()) EXPECT_EQ(left, -1) << key;
}

}  // namespace
}  // namespace threadkeep::redis_test
