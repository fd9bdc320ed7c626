// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tables_support.hpp"
#include "wire_support.hpp"

namespace threadkeep::postgres_test {
namespace {

using namespace std::chrono_literals;
using TablesLockTest = TablesTest;

TEST_F(TablesLockTest, OneAtATimeAndTheHolderIsNamed) {
  const auto database = tables::open_database(with(target_url, "application_name=first"), Call());
  auto held = database->lock(0ms, {}, Call());
  held->check(Call());
  std::vector<std::string> told;
  const auto tell = [&](const tables::LockHolder& holder) { told.push_back(holder.description); };
  const Error error = error_of([&] { database->lock(100ms, tell, Call()); });
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_TRUE(contains(error.message(), held->name())) << error.message();
  EXPECT_TRUE(contains(error.message(), "application 'first'")) << error.message();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(contains(told[0], "application 'first'")) << told[0];
  held.reset();
  database->lock(10s, {}, Call())->check(Call());
}

TEST_F(TablesLockTest, SchemasHaveLocksOfTheirOwn) {
  target.run("CREATE SCHEMA other");
  const auto one = tables::open_database(target_url, Call())->lock(0ms, {}, Call());
  const auto other =
      tables::open_database(with(target_url, "schema=other"), Call())->lock(0ms, {}, Call());
  EXPECT_NE(one->name(), other->name());
}

TEST_F(TablesLockTest, ALostLockIsFound) {
  const auto database = tables::open_database(target_url, Call());
  const auto ended = database->lock(0ms, {}, Call());
  server().run("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
  EXPECT_EQ(error_of([&] { ended->check(Call()); }).code(), Code::conflict);
}

TEST_F(TablesLockTest, ACallThatIsStoppedDoesNotWait) {
  const auto database = tables::open_database(target_url, Call());
  const auto held = database->lock(0ms, {}, Call());
  std::stop_source stopping;
  const auto stop = [&](const tables::LockHolder&) { stopping.request_stop(); };
  const Call call{.deadline = Deadline::never(), .stop = stopping.get_token()};
  EXPECT_EQ(error_of([&] { database->lock(1h, stop, call); }).code(), Code::cancelled);
}

}  // namespace
}  // namespace threadkeep::postgres_test
