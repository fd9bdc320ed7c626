// SPDX-License-Identifier: Apache-2.0
// Who may write into a file as a migration.
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "tables_support.hpp"

namespace threadkeep::sqlite_test {
namespace {

using std::chrono::milliseconds;

class TablesLock : public ::testing::Test {
 protected:
  void SetUp() override { run("CREATE TABLE t (id INTEGER PRIMARY KEY)"); }
  std::vector<std::string> run(const std::string& sql) { return RawDatabase(file_).run(sql); }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "app.db";
};

TEST_F(TablesLock, keeps_others_out_and_leaves_nothing_behind) {
  const auto one = open_tables(file_);
  const auto other = open_tables(file_);
  {
    const auto lock = one->lock(milliseconds(0), nullptr, {});
    lock->check({});
    std::vector<std::string> seen;
    const auto waiting = [&](const tables::LockHolder& holder) {
      seen.push_back(holder.description);
    };
    const auto error = error_of([&] { other->lock(milliseconds(300), waiting, {}); });
    EXPECT_EQ(error.code(), Code::unavailable);
    const std::string process = "process " + std::to_string(getpid());
    EXPECT_NE(error.message().find(process), std::string::npos) << error.message();
    ASSERT_FALSE(seen.empty());
    EXPECT_TRUE(seen.front().starts_with(process)) << seen.front();
    lock->check({});
  }
  EXPECT_EQ(run("SELECT name FROM sqlite_schema"), std::vector<std::string>{"t"});
  other->lock(milliseconds(0), nullptr, {})->check({});
}

TEST_F(TablesLock, is_taken_from_a_holder_that_fell_silent) {
  const auto one = open_tables(file_);
  const auto other = open_tables(file_);
  const auto lock = one->lock(milliseconds(0), nullptr, {});
  const auto writer = one->writer({});
  begin_run(*writer);
  tables::Target target;
  target.table = table_of(*one, "t");
  target.columns = {{"id", tables::Kind::integer}};
  tables::Batch batch;
  batch.lines = "1\n";
  batch.rows = 1;
  tables::TableProgress progress;
  progress.table = "t";
  writer->write(target, batch, run_id, progress, 0, nullptr, {});
  run("UPDATE threadkeep_tier_lock SET heartbeat = heartbeat - 61 * 1000000");
  const auto taken = other->lock(milliseconds(0), nullptr, {});
  taken->check({});
  batch.lines = "2\n";
  const auto lost = [&] { writer->write(target, batch, run_id, progress, 0, nullptr, {}); };
  EXPECT_EQ(error_of(lost).code(), Code::conflict);
  EXPECT_EQ(error_of([&] { lock->check({}); }).code(), Code::conflict);
  EXPECT_EQ(run("SELECT id FROM t"), std::vector<std::string>{"1"});
}

// As in a verification, which reads for a long time.
TEST_F(TablesLock, is_kept_alive_while_nothing_is_written) {
  run("PRAGMA journal_mode = WAL");
  const auto database = open_tables(file_);
  const auto lock = database->lock(milliseconds(0), nullptr, {});
  const auto snapshot = database->snapshot({});
  run("UPDATE threadkeep_tier_lock SET heartbeat = heartbeat - 50 * 1000000");
  const auto heartbeat = [&] { return run("SELECT heartbeat FROM threadkeep_tier_lock").front(); };
  const auto before = heartbeat();
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (heartbeat() == before && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_GT(heartbeat(), before);
}

TEST_F(TablesLock, is_kept_alive_by_writes) {
  const auto database = open_tables(file_);
  const auto lock = database->lock(milliseconds(0), nullptr, {});
  const auto writer = database->writer({});
  run("UPDATE threadkeep_tier_lock SET heartbeat = heartbeat - 50 * 1000000");
  const auto before = run("SELECT heartbeat FROM threadkeep_tier_lock").front();
  begin_run(*writer);
  EXPECT_GT(run("SELECT heartbeat FROM threadkeep_tier_lock").front(), before);
  writer->begin_group({});
  lock->check({});  // Does not wait for the transaction of its own writer.
  writer->end_group({});
}

TEST_F(TablesLock, has_a_greater_fence_with_each_holder) {
  const auto database = open_tables(file_);
  const auto fence = [&] { return std::stoll(run("SELECT fence FROM threadkeep_tier_lock")[0]); };
  long long first = 0;
  {
    const auto lock = database->lock(milliseconds(0), nullptr, {});
    first = fence();
  }
  const auto lock = database->lock(milliseconds(0), nullptr, {});
  EXPECT_GT(fence(), first);
}

}  // namespace
}  // namespace threadkeep::sqlite_test
