// SPDX-License-Identifier: Apache-2.0
// Servers and clients that are killed while they write.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <set>
#include <thread>

#include "layout.hpp"
#include "operations.hpp"

namespace threadkeep::redis_test {
namespace {

using namespace std::chrono_literals;

// Small values go through scripts, large ones beside them.
std::string value_of(int number) {
  return std::string(number % 2 == 0 ? 20 : 20'000, 'x');
}

PutCheckpoint checkpoint(const std::string& thread, int number) {
  const auto id = padded(number);
  return Draft(thread, id).value("a", id, value_of(number)).value("b", id, "y");
}

PutWrites writes_of(const std::string& thread, int number) {
  return {thread,
          "",
          padded(number),
          {pending("task", 0, "c", value_of(number)), pending("task", 1, "c", "y")}};
}

// One client, and what was acknowledged to it.
class Client {
 public:
  Client(const std::string& url, std::string name) : store_(open_store(url)), name_(name) {}

  void write_until(const std::atomic<bool>& stop) {
    for (int i = 1; !stop; ++i) {
      if (did([&] { store_.put(checkpoint(name_, i)); })) {
        checkpoints_.insert(i);
        ++acknowledged_;
      }
      if (did([&] { store_.put_writes(writes_of(name_, i)); })) writes_.insert(i);
      const auto other = name_ + padded(i);
      const bool there = did([&] { store_.put(checkpoint(other, i)); });
      if (there && did([&] { store_.delete_thread(other); })) deleted_.insert(other);
    }
  }

  // Checkpoints, at any time.
  int acknowledged() const { return acknowledged_; }

  void expect_all_there(Checkpointer& store) const {
    for (const int number : checkpoints_) {
      const auto tuple = store.get({name_, "", padded(number), {}});
      ASSERT_TRUE(tuple) << name_ << " " << number;
      EXPECT_EQ(tuple->values.size(), 2U);
      if (writes_.contains(number)) {
        EXPECT_EQ(tuple->writes.size(), 2U);
      }
    }
    for (const auto& thread : deleted_) EXPECT_FALSE(store.get({thread, "", {}, {}})) << thread;
  }

 private:
  bool did(const std::function<void()>& call) {
    try {
      call();
      return true;
    } catch (const Error& error) {
      EXPECT_TRUE(is_outage(error.code())) << error.what();
      std::this_thread::sleep_for(5ms);
      return false;
    }
  }

  Checkpointer store_;
  const std::string name_;
  std::atomic<int> acknowledged_ = 0;
  std::set<int> checkpoints_;
  std::set<int> writes_;
  std::set<std::string> deleted_;
};

TEST(Crash, of_the_server_loses_nothing_that_it_has_acknowledged) {
  RedisServer server({.durable = true});
  const auto url = server.url("durability=fsync");
  std::deque<Client> clients;
  for (int i = 0; i < 4; ++i) clients.emplace_back(url, "client" + std::to_string(i));
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (auto& client : clients) threads.emplace_back([&] { client.write_until(stop); });
  const auto work = [&](int least) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    const auto has_too_few = [&](const Client& client) { return client.acknowledged() < least; };
    std::this_thread::sleep_for(300ms);
    while (std::any_of(clients.begin(), clients.end(), has_too_few)) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(1ms);
    }
    return true;
  };
  for (int round = 1; round <= 4; ++round) {
    EXPECT_TRUE(work(round * 2)) << "the clients hang";
    server.kill();
    server.repair();
    server.start();
  }
  EXPECT_TRUE(work(10)) << "the clients hang";
  stop = true;
  for (auto& thread : threads) thread.join();
  auto store = open_store(url);
  for (const auto& client : clients) client.expect_all_there(store);
}

// Of the file that the server was writing when it died.
void cut(const RedisServer& server, std::uintmax_t bytes) {
  auto file = server.directory() / "appendonlydir" / "appendonly.aof.1.incr.aof";
  if (!std::filesystem::exists(file)) file = server.directory() / "appendonly.aof";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - bytes);
}

TEST(Crash, in_the_middle_of_a_transaction_is_repaired) {
  RedisServer server({.durable = true});
  const auto url = server.url();
  open_store(url).put(checkpoint("t", 1));
  open_store(url).put(checkpoint("t", 3));  // a transaction, for the value is large
  server.kill();
  cut(server, 10'000);
  EXPECT_THROW(server.start(), std::runtime_error);
  server.repair();
  server.start();
  open_store(url).put(checkpoint("t", 5));
  server.kill();
  server.repair();  // nothing was cut
  server.start();
  auto store = open_store(url);
  const auto page = store.list(of_thread("t", 10));
  ASSERT_EQ(page.items.size(), 2U);
  EXPECT_EQ(page.items[0].checkpoint_id, padded(5));
  EXPECT_EQ(page.items[1].checkpoint_id, padded(1));
}

[[noreturn]] void write_until_killed(const std::string& url) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  auto store = open_store(url);
  const auto last = store.get({"t", "", {}, {}});
  for (int i = last ? std::stoi(last->checkpoint_id) + 1 : 1;; ++i) {
    store.put(checkpoint("t", i));
    store.put_writes(writes_of("t", i));
  }
}

TEST(Crash, of_a_client_leaves_a_whole_thread) {
  const auto url = RedisServer::shared().url("prefix=crash");
  auto store = open_store(url);
  const auto count = [&] {
    const auto last = store.get({"t", "", {}, {}});
    return last ? std::stoi(last->checkpoint_id) : 0;
  };
  for (int round = 0; round < 10; ++round) {
    const int before = count();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_until_killed(url);
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (count() < before + 3 && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(1ms);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(round * 700));
    ::kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    EXPECT_GE(count(), before + 3);
  }
  const auto page = store.list(of_thread("t", 10'000));
  std::size_t writes = 0;
  for (const auto& tuple : page.items) {
    EXPECT_EQ(tuple.values.size(), 2U) << tuple.checkpoint_id;
    EXPECT_TRUE(tuple.writes.empty() || tuple.writes.size() == 2) << tuple.checkpoint_id;
    writes += tuple.writes.size();
  }
  // Nothing else is left: a head, what belongs to checkpoints, and their index.
  RawClient client(RedisServer::shared());
  const redis::Keys keys("crash", "t");
  const auto checkpoints = page.items.size();
  EXPECT_EQ(client.value({"HLEN", keys.thread}), std::to_string(1 + 3 * checkpoints + writes));
  EXPECT_EQ(client.value({"ZCARD", keys.index}), std::to_string(checkpoints + writes));
}

}  // namespace
}  // namespace threadkeep::redis_test
