// SPDX-License-Identifier: Apache-2.0
// What is known to go wrong in stores on Redis.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>

#include "layout.hpp"
#include "support.hpp"

namespace threadkeep::redis_test {
namespace {

TEST(Bugs, parallel_tasks_of_one_step_do_not_lose_writes) {
  const auto url = fresh_url();
  for (int round = 0; round < 10; ++round) {
    const std::string step = padded(round);
    std::vector<std::thread> tasks;
    for (int task = 0; task < 16; ++task) {
      tasks.emplace_back([&, task] {
        open_store(url).put_writes(
            {"t",
             "",
             step,
             {pending(padded(task), 0, "a", "x"), pending(padded(task), -1, "error", "x")}});
      });
    }
    for (auto& task : tasks) task.join();
    auto store = open_store(url);
    store.put(Draft("t", step));
    EXPECT_EQ(store.get({"t", "", {}, {}})->writes.size(), 32U);
  }
}

TEST(Bugs, a_put_after_its_writes_or_a_second_one_hides_none) {
  auto store = open_store(fresh_url());
  store.put_writes({"t", "", "1", {pending("x", 0, "a", "first")}});
  store.put(Draft("t", "1").value("a", "1", "x"));
  store.put(Draft("t", "1").value("a", "1", "y"));
  store.put_writes({"t", "", "1", {pending("x", 0, "a", "second")}});
  const auto tuple = store.get({"t", "", {}, {}});
  ASSERT_EQ(tuple->writes.size(), 1U);
  EXPECT_EQ(tuple->writes[0].data.view(), "first");
  EXPECT_EQ(tuple->values.at(0).data.view(), "x");
}

TEST(Bugs, history_that_is_imported_out_of_order_does_not_move_the_latest) {
  auto store = open_store(fresh_url());
  std::vector<int> numbers;
  for (int i = 1; i <= 200; ++i) numbers.push_back(i * 37 % 211);
  for (const int number : numbers) store.put(Draft("t", padded(number)));
  EXPECT_EQ(store.get({"t", "", {}, {}})->checkpoint_id, padded(210));
  auto query = of_thread("t", 3);
  query.before = padded(100);
  const auto page = store.list(query);
  std::sort(numbers.rbegin(), numbers.rend());
  const auto below = std::find_if(numbers.begin(), numbers.end(), [](int n) { return n < 100; });
  ASSERT_EQ(page.items.size(), 3U);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(page.items[static_cast<std::size_t>(i)].checkpoint_id, padded(below[i]));
  }
}

TEST(Bugs, ids_are_no_patterns_and_do_not_end_at_a_colon) {
  const RedisServer server;
  auto store = open_store(server.url());
  const std::vector<std::string> ids = {"*",   "?",    "[a]", "a:b", "a",    "{a}", "}{",
                                        "a b", "\r\n", "%00", "|",   "\x01", "é",   "-inf"};
  for (const auto& id : ids) store.put(Draft(id, id).ns(id).value(id, "1", id));
  store.delete_thread("*");
  store.delete_thread("a");
  EXPECT_EQ(store.threads({}).items.size(), ids.size() - 2);
  for (const auto& id : ids) {
    EXPECT_EQ(store.get({id, id, id, {}}).has_value(), id != "*" && id != "a") << id;
  }
}

TEST(Bugs, more_than_twenty_thousand_checkpoints_are_deleted_whole) {
  const RedisServer server;
  RawClient client(server);
  const auto store = open(server.url());
  constexpr int count = 20'500;
  const auto fill = [&] {
    for (int from = 0; from < count; from += 500) {
      std::vector<Mutation> group;
      for (int i = from; i < from + 500; ++i) {
        group.emplace_back(
            Draft("t", padded(i)).ns(std::to_string(i % 2)).value("a", padded(i), "x"));
        group.emplace_back(
            PutWrites{"t", std::to_string(i % 2), padded(i), {pending("x", 0, "a", "x")}});
      }
      for (const auto& outcome : store->write_all(std::move(group), Call{})) {
        ASSERT_FALSE(outcome.error);
      }
    }
  };
  fill();
  Checkpointer checkpointer(store);
  EXPECT_EQ(prune(checkpointer, "t").changed, static_cast<std::uint64_t>(count - 2));
  const redis::Keys keys("threadkeep", "t");
  EXPECT_EQ(client.value({"HLEN", keys.thread}), "7") << "head, and two checkpoints of each all";
  EXPECT_EQ(client.value({"ZCARD", keys.index}), "4");
  // What was pruned would be dropped.
  checkpointer.delete_thread("t");
  client.run({"FLUSHALL"});
  client.run({"HSET", redis::meta_key("threadkeep"), "format", "2", "buckets", "256"});
  fill();
  EXPECT_EQ(checkpointer.delete_thread("t").changed, static_cast<std::uint64_t>(count));
  EXPECT_EQ(client.value({"HLEN", keys.thread}), "1") << "the tombstone";
  EXPECT_EQ(client.keys().size(), 3U);
  EXPECT_TRUE(checkpointer.list({}).items.empty());
}

TEST(Bugs, threads_are_listed_without_looking_at_all_keys) {
  const RedisServer server;
  RawClient client(server);
  const auto store = open(server.url());
  std::vector<Mutation> group;
  for (int i = 0; i < 3000; ++i) group.emplace_back(Draft(padded(i), "1"));
  store->write_all(std::move(group), Call{});
  client.run({"CONFIG", "RESETSTAT"});
  Checkpointer checkpointer(store);
  std::set<std::string> found;
  std::string cursor;
  do {
    const auto page = checkpointer.threads({{}, 170, cursor});
    for (const auto& thread : page.items) found.insert(thread.thread_id);
    cursor = page.next;
  } while (!cursor.empty());
  EXPECT_EQ(found.size(), 3000U);
  const auto statistics = client.value({"INFO", "commandstats"});
  EXPECT_EQ(statistics.find("cmdstat_scan"), std::string::npos);
  EXPECT_EQ(statistics.find("cmdstat_keys"), std::string::npos);
  EXPECT_EQ(statistics.find("cmdstat_hgetall"), std::string::npos);
}

TEST(Bugs, reads_under_deletions_see_a_whole_thread_or_none) {
  const auto url = fresh_url("script_bytes=100");
  const std::string large(1000, 'x');
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    auto store = open_store(url);
    for (int i = 1; !stop; ++i) {
      store.put(Draft("t", padded(i))
                    .value("a", "1", large + std::to_string(i))
                    .value("b", "1", large + std::to_string(i)));
      store.delete_thread("t");
    }
  });
  auto store = open_store(url);
  int seen = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto tuple = store.get({"t", "", {}, {}});
    if (!tuple) continue;
    ++seen;
    ASSERT_EQ(tuple->values.size(), 2U);
    EXPECT_EQ(tuple->values[0].data, tuple->values[1].data);
    EXPECT_EQ(tuple->values[0].data.view().substr(1000),
              std::to_string(std::stoi(tuple->checkpoint_id)));
  }
  stop = true;
  writer.join();
  EXPECT_GT(seen, 0);
}

}  // namespace
}  // namespace threadkeep::redis_test
