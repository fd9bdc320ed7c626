// SPDX-License-Identifier: Apache-2.0
// Large values, many namespaces, forks, and pools that are used up.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <thread>

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
