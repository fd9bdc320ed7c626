// SPDX-License-Identifier: Apache-2.0
// Large values, many namespaces, forks, and pools that are used up.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <thread>

#include "metric_values.hpp"
#include "support.hpp"
#include "threadkeep/testing/tcp_proxy.hpp"

namespace threadkeep::redis_test {
namespace {

using namespace std::chrono_literals;

TEST(Limits, values_of_64_MiB_go_both_ways) {
  auto store = open_store(fresh_url());
  const std::string large(64 << 20, 'x');
  store.put(Draft("t", "1").value("a", "1", large));
  store.put_writes({"t", "", "1", {pending("x", 0, "a", large), pending("x", -1, "b", large)}});
  const auto tuple = store.get({"t", "", {}, {}});
  EXPECT_TRUE(tuple->values.at(0).data.view() == large);
  EXPECT_TRUE(tuple->writes.at(0).data.view() == large);
  EXPECT_TRUE(tuple->writes.at(1).data.view() == large);
  store.copy_thread("t", "u");
  EXPECT_TRUE(store.get({"u", "", {}, {}})->values.at(0).data.view() == large);
  store.delete_thread("t");
  store.delete_thread("u");
}

TEST(Limits, documents_and_metadata_of_16_MiB_do_too) {
  auto store = open_store(fresh_url());
  const std::string large(16 << 20, 'x');
  PutCheckpoint put = Draft("t", "1").inlined("a", "1", testing::json_string(large));
  put.metadata = "{\"a\": " + testing::json_string(large) + "}";
  store.put(put);
  const auto tuple = store.get({"t", "", {}, {}});
  EXPECT_TRUE(tuple->document == put.document);
  EXPECT_TRUE(tuple->metadata == put.metadata);
  store.delete_thread("t");
}

TEST(Limits, larger_values_are_refused_before_anything_is_sent) {
  const auto store = open(fresh_url());
  const std::string huge(store->capabilities().max_value_bytes + 1, 'x');
  EXPECT_EQ(code_of([&] { Checkpointer(store).put(Draft("t", "1").value("a", "1", huge)); }),
            Code::invalid_argument);
}

TEST(Limits, a_page_does_not_read_far_more_than_it_holds) {
  testing::TcpProxy proxy(RedisServer::shared().port());
  auto store = open_store(proxy.in_front_of(fresh_url()));
  constexpr std::size_t mebibyte = 1 << 20;
  for (int i = 0; i < 16; ++i) {
    store.put(Draft("t", padded(i)).value("a", padded(i), std::string(mebibyte, 'x')));
  }
  const auto read_by = [&](const CheckpointList& query) {
    const auto before = proxy.counts().to_client;
    store.list(query);
    return proxy.counts().to_client - before;
  };
  EXPECT_LT(read_by(of_thread("t", 1)), 3 * mebibyte);
  auto query = of_thread("t", 100);
  query.max_bytes = mebibyte;
  EXPECT_LT(read_by(query), 5 * mebibyte);
  query.max_bytes = 32 * mebibyte;
  EXPECT_EQ(store.list(query).items.size(), 16U);
}

// More than a script can have on its stack.
TEST(Limits, nine_thousand_channels_and_writes_go_through_every_operation) {
  constexpr int count = 9000;
  auto store = open_store(fresh_url("script_bytes=10000000"));
  auto outside = open_store(fresh_url("script_bytes=0"));
  for (auto* each : {&store, &outside}) {
    Draft first("t", "1");
    Draft second("t", "2");
    PutWrites writes{"t", "", "1", {}};
    std::vector<std::string> channels;
    for (int i = 0; i < count; ++i) {
      first.value(padded(i), "1", "x");
      second.value(padded(i), "2", "x");
      writes.writes.push_back(pending(padded(i), 0, padded(i), "x"));
      channels.push_back(padded(i));
    }
    each->put(first.metadata(R"({"run_id": "r"})"));
    EXPECT_EQ(each->put_writes(writes), (Written{.changed = count}));
    EXPECT_EQ(each->put_writes(writes), (Written{.kept = count}));
    each->put(second.parent("1"));
    const auto tuple = each->get({"t", "", "1", {}});
    EXPECT_EQ(tuple->values.size(), std::size_t{count});
    EXPECT_EQ(tuple->writes.size(), std::size_t{count});
    const auto history = each->history({"t", "", "2", channels});
    EXPECT_TRUE(std::all_of(history.begin(), history.end(), [](const auto& channel) {
      return channel.seed && channel.writes.size() == 1;
    }));
    each->copy_thread("t", "u");
    EXPECT_EQ(each->get({"u", "", "1", {}})->writes.size(), std::size_t{count});
    EXPECT_EQ(each->delete_runs({"r"}).changed, 2U);
    each->copy_thread("u", "v");
    each->put(Draft("v", "1").value("a", "1", "x"));
    EXPECT_EQ(prune(*each, "v").changed, 1U);
    EXPECT_EQ(each->get({"v", "", {}, {}})->values.size(), std::size_t{count});
  }
}

TEST(Limits, many_namespaces_are_listed_in_order) {
  const auto store = open(fresh_url());
  std::vector<Mutation> group;
  for (int i = 0; i < 600; ++i) {
    group.emplace_back(Draft("t", padded(i % 40)).ns("n" + std::to_string(i)));
  }
  store->write_all(std::move(group), Call{});
  std::string cursor;
  std::vector<std::pair<std::string, std::string>> found;
  do {
    const auto page = Checkpointer(store).list(of_thread("t", 7, cursor));
    for (const auto& item : page.items) found.emplace_back(item.checkpoint_id, item.checkpoint_ns);
    cursor = page.next;
  } while (!cursor.empty());
  EXPECT_EQ(found.size(), 600U);
  EXPECT_TRUE(std::is_sorted(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  }));
}

TEST(Limits, a_pool_that_is_used_up_says_so) {
  testing::TcpProxy proxy(RedisServer::shared().port());
  const auto url = proxy.in_front_of(fresh_url("pool_size=1&pool_wait=100ms"));
  auto store = open_store(url);
  store.put(Draft("t", "1"));
  proxy.fall_silent();
  auto stuck = std::async(std::launch::async, [&] {
    return code_of([&] { store.get({"t", "", {}, {}}, {Deadline::after(2s), {}}); });
  });
  std::this_thread::sleep_for(200ms);
  const Error error = error_of([&] { store.get({"t", "", {}, {}}); });
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_NE(error.message().find("pool_size"), std::string::npos);
  EXPECT_EQ(stuck.get(), Code::timeout);
  proxy.pass();
  EXPECT_TRUE(store.get({"t", "", {}, {}}));
}

TEST(Limits, connections_and_who_waits_for_one_are_counted) {
  const auto now = [] {
    std::array<double, 3> values{};
    const auto& metrics = *Metrics::process();
    values[0] = testing::value_of(metrics, "threadkeep_pool_connections",
                                  {{"backend", "redis"}, {"state", "in_use"}});
    values[1] = testing::value_of(metrics, "threadkeep_pool_connections",
                                  {{"backend", "redis"}, {"state", "idle"}});
    values[2] = testing::value_of(metrics, "threadkeep_pool_waiting", {{"backend", "redis"}});
    return values;
  };
  testing::TcpProxy proxy(RedisServer::shared().port());
  const auto url = proxy.in_front_of(fresh_url("pool_size=2&pool_wait=60s&connect_timeout=60s"));
  auto store = std::make_unique<Checkpointer>(open_store(url));
  store->put(Draft("t", "1"));
  EXPECT_EQ(now(), (std::array<double, 3>{0, 1, 0}));
  proxy.fall_silent();
  std::vector<std::future<bool>> readers;
  for (int i = 0; i < 3; ++i) {
    readers.push_back(std::async(std::launch::async, [&] {
      return store->get({"t", "", {}, {}}).has_value();
    }));
  }
  const auto end = std::chrono::steady_clock::now() + 60s;
  const std::array<double, 3> busy{2, 0, 1};
  while (now() != busy && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_EQ(now(), busy);
  proxy.pass();
  for (auto& reader : readers) EXPECT_TRUE(reader.get());
  EXPECT_EQ(now(), (std::array<double, 3>{0, 2, 0}));
  store.reset();
  EXPECT_EQ(now(), (std::array<double, 3>{0, 0, 0}));
}

TEST(Limits, a_forked_child_is_told_to_open_the_store_again) {
  auto store = open_store(fresh_url());
  store.put(Draft("t", "1"));
  const pid_t child = fork();
  if (child == 0) {
    try {
      store.get({"t", "", {}, {}});
      _exit(1);
    } catch (const Error& error) {
      _exit(error.code() == Code::unsupported ? 0 : 2);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(store.get({"t", "", {}, {}})) << "the parent's connections still work";
}

}  // namespace
}  // namespace threadkeep::redis_test
