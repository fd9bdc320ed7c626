// SPDX-License-Identifier: Apache-2.0
// Stores of older formats open, upgrade, and keep what they have.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "support.hpp"
#include "threadkeep/registry.hpp"
#include "threadkeep/retention/retention.hpp"
#include "threadkeep/session_store.hpp"

namespace threadkeep::sqlite_test {
namespace {

std::string format_1() {
  std::ifstream stream(THREADKEEP_SQLITE_FORMAT_1);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class Format1 : public ::testing::Test {
 protected:
  Format1() { RawDatabase(file_).run(format_1() + "PRAGMA journal_mode = WAL;"); }

  std::string value(const std::string& sql) { return RawDatabase(file_).value(sql); }

  TemporaryDirectory directory_;
  const std::filesystem::path file_ = directory_.path() / "store.db";
};

TEST_F(Format1, is_what_the_version_before_made) {
  EXPECT_EQ(value("PRAGMA user_version"), "1");
  EXPECT_EQ(value("SELECT count(*) FROM checkpoints"), "8");
}

TEST_F(Format1, upgrades_and_keeps_its_checkpoints) {
  Checkpointer store = open_store(file_);
  const auto latest = store.get({"quickstart", "", {}, {}});
  ASSERT_TRUE(latest);
  EXPECT_EQ(latest->values.at(0).data.view(), "Ada");
  EXPECT_EQ(store.threads({}).items.size(), 2U);
  EXPECT_EQ(value("PRAGMA user_version"), "3");
  EXPECT_EQ(value("PRAGMA auto_vacuum"), "2");
}

TEST_F(Format1, takes_messages_and_state_from_then_on) {
  SessionStore store(open_store(file_).store());
  store.append({"example", "", {{"a", "user", "1", "{}"}}, {}, "", {}});
  store.put_state(StateScope::of_thread("example"), "k", "1");
  EXPECT_EQ(store.messages({.thread_id = "example", .stream = "", .filter = {}, .cursor = ""})
                .items.size(),
            1U);
  EXPECT_EQ(store.thread({"example"})->revision, 2);
}

TEST_F(Format1, has_the_tables_of_a_new_store_afterwards) {
  const std::string tables =
      "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL "
      "ORDER BY name)";
  open_store(file_).threads({});
  const auto fresh = directory_.path() / "fresh.db";
  open_store(fresh).threads({});
  EXPECT_EQ(value(tables), RawDatabase(fresh).value(tables));
}

TEST_F(Format1, has_tombstones_that_count_from_the_upgrade) {
  RawDatabase(file_).run("INSERT INTO threadkeep_tombstones VALUES ('deleted', '5')");
  open_store(file_).threads({});
  EXPECT_EQ(value("SELECT abs(deleted_at / 1e6 - strftime('%s', 'now')) < 3600 "
                  "FROM threadkeep_tombstones"),
            "1");
  EXPECT_EQ(error_of([&] { open_store(file_).put(Draft("deleted", "6").parent("5")); }).code(),
            Code::conflict);
}

TEST_F(Format1, tells_a_program_of_before_that_has_it_open_no_lie_about_its_tombstones) {
  Store store(Registry::builtin().open(url_of(file_)));
  const auto retention = retention::open_retention(store);
  retention->install({});
  RawDatabase(file_).run(
      "INSERT INTO threadkeep_tombstones (thread_id, checkpoint_id) VALUES ('deleted', '5')");
  EXPECT_EQ(retention->leftovers({}, {}).tombstones, 0U);
  EXPECT_EQ(retention->sweep({}, {}).swept.tombstones, 0U);
  EXPECT_EQ(value("SELECT abs(deleted_at / 1e6 - strftime('%s', 'now')) < 3600 "
                  "FROM threadkeep_tombstones"),
            "1");
}

TEST_F(Format1, is_upgraded_once_by_many_at_once) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      SessionStore store(open_store(file_).store());
      store.append({"example", "", {{std::to_string(i), "user", "1", "{}"}}, {}, "", {}});
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(value("SELECT max(seq) FROM threadkeep_messages"), "8");
}

TEST_F(Format1, stays_as_it_is_when_the_upgrade_is_interrupted) {
  // A table of the next format in the way makes the step fail.
  RawDatabase(file_).run("CREATE TABLE threadkeep_state (x)");
  error_of([&] { open_store(file_).threads({}); });
  EXPECT_EQ(value("PRAGMA user_version"), "1");
  EXPECT_EQ(value("SELECT count(*) FROM sqlite_schema WHERE name = 'threadkeep_messages'"), "0");
  RawDatabase(file_).run("DROP TABLE threadkeep_state");
  EXPECT_EQ(open_store(file_).threads({}).items.size(), 2U);
}

}  // namespace
}  // namespace threadkeep::sqlite_test
