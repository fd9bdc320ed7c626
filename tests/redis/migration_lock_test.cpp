// SPDX-License-Identifier: Apache-2.0
// The lock of migrations into a store, which is a key that its holder renews.
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "support.hpp"
#include "threadkeep/retention_host.hpp"
#include "threadkeep/store.hpp"
#include "threadkeep/transfer_host.hpp"

namespace threadkeep::redis_test {
namespace {

using namespace std::chrono_literals;

class MigrationLock : public ::testing::Test {
 protected:
  static std::string prefix_of(const std::string& url) {
    return url.substr(url.find("prefix=") + 7);
  }
  std::unique_ptr<tables::MigrationLock> lock(std::chrono::milliseconds patience = 0ms,
                                              const tables::OnWaiting& waiting = {}) {
    return store.retention()->transfer()->lock(patience, waiting, Call());
  }
  std::string run(std::initializer_list<std::string> command) const {
    return RedisServer::shared().run(command);
  }

  const std::string url = fresh_url();
  const std::string key = prefix_of(url) + ":{meta}:migration";
  Store store{Registry::builtin().open(url)};
};

TEST_F(MigrationLock, is_held_by_one_who_is_named) {
  auto held = lock();
  held->check(Call());
  EXPECT_EQ(held->name(), "the key " + key);
  std::vector<std::string> told;
  const auto tell = [&](const tables::LockHolder& holder) { told.push_back(holder.description); };
  const Error error = error_of([&] { lock(300ms, tell); });
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_EQ(error.native(), tables::lock_held);
  const std::string process = "process " + std::to_string(getpid()) + " on host ";
  EXPECT_NE(error.message().find(process), std::string::npos) << error.message();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told[0].starts_with(process)) << told[0];
  std::thread ends([&] {
    std::this_thread::sleep_for(300ms);
    held.reset();
  });
  lock(30s)->check(Call());
  ends.join();
  EXPECT_EQ(run({"EXISTS", key}), "0");
}

TEST_F(MigrationLock, waits_no_longer_than_its_caller) {
  const auto held = lock();
  const auto wait = [&](const Call& call) {
    return code_of([&] { store.retention()->transfer()->lock(1h, {}, call); });
  };
  EXPECT_EQ(wait({.deadline = Deadline::after(500ms), .stop = {}}), Code::timeout);
  std::stop_source stop;
  std::thread asks([&] {
    std::this_thread::sleep_for(300ms);
    stop.request_stop();
  });
  EXPECT_EQ(wait({.deadline = {}, .stop = stop.get_token()}), Code::cancelled);
  asks.join();
}

TEST_F(MigrationLock, is_renewed_while_its_holder_is_busy) {
  const auto held = lock();
  run({"PEXPIRE", key, "9000"});
  const auto is_renewed = [&] { return std::stoi(run({"PTTL", key})) > 50'000; };
  for (int i = 0; i < 80 && !is_renewed(); ++i) std::this_thread::sleep_for(100ms);
  EXPECT_TRUE(is_renewed());
}

TEST_F(MigrationLock, of_a_holder_that_is_dead_goes_by_itself) {
  run({"SET", key, "1-1 1 process 1 on host gone", "PX", "1000"});
  lock(30s)->check(Call());
}

TEST_F(MigrationLock, that_is_lost_is_told_and_not_taken_away) {
  auto held = lock();
  run({"SET", key, "1-1 1 process 1 on host other"});
  const Error error = error_of([&] { held->check(Call()); });
  EXPECT_EQ(error.code(), Code::conflict);
  held.reset();
  EXPECT_EQ(run({"GET", key}), "1-1 1 process 1 on host other");
  run({"DEL", key});
  held = lock();
  run({"DEL", key});
  EXPECT_EQ(code_of([&] { held->check(Call()); }), Code::conflict);
}

}  // namespace
}  // namespace threadkeep::redis_test
