// SPDX-License-Identifier: Apache-2.0
// Retention on a file: archives of sweeps that are killed, room that comes back, and versions.
#include <thread>

#include "archives.hpp"
#include "hosted_fixture.hpp"
#include "support.hpp"

namespace threadkeep::retention_test {
namespace {

using namespace retention;
using sqlite_test::Child;
using sqlite_test::RawDatabase;

class HostedSqlite : public Hosted {
 protected:
  HostedSqlite() : raw_(directory_.path() / "store.db") {}

  // In a process of its own, as a command that cron starts.
  void sweep_in_child(const Archives& archives) {
    TestClock clock;
    clock.set(clock_.now());
    Store store(clock.open(url()));
    SweepOptions options = archives.options(store);
    options.batch_size = 1;
    open_retention(store)->sweep(options, Call());
  }

  void put_large(const std::string& thread) {
    store_.write(Draft(thread, "1").value("a", "1", std::string(100'000, 'x')), Call());
  }

  RawDatabase raw_;
};

TEST_P(HostedSqlite, every_thread_that_went_is_in_an_archive_when_sweepers_are_killed) {
  std::mt19937_64 random(std::random_device{}());
  const Archives archives;
  for (int i = 0; i < 60; ++i) put_line("old-" + std::to_string(i), 2);
  const Content before = load(store_);
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  for (int kills = 0; kills < 20; ++kills) {
    Child child([&] { sweep_in_child(archives); });
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 80));
    child.kill();
    const auto archived = archives.threads();
    const Content after = load(store_);
    expect_equal(after, before);
    for (const auto& [key, loaded] : before) {
      EXPECT_TRUE(after.contains(key) || archived.contains(std::get<0>(key))) << std::get<0>(key);
    }
    clock_.pass(601 * second);
  }
  retention_->sweep(archives.options(store_), Call());
  EXPECT_TRUE(load(store_).empty());
  archives.import_into(store_);
  EXPECT_EQ(load(store_).size(), before.size());
  expect_equal(load(store_), before);
}

TEST_P(HostedSqlite, passes_over_a_thread_that_is_damaged_and_names_it) {
  for (const char* id : {"a", "b", "c"}) put_line(id, 2);
  raw_.run("UPDATE checkpoints SET checkpoint = '{' WHERE thread_id = 'b'");
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  ASSERT_EQ(retention_->preview(Call()).size(), 1U);
  EXPECT_EQ(retention_->preview(Call())[0].threads, 2U);
  const auto result = sweep();
  EXPECT_EQ(result.swept.threads, 2U);
  EXPECT_NE(result.summary.find("damaged documents, the first is b"), std::string::npos)
      << result.summary;
  EXPECT_EQ(threads(), std::vector<std::string>{"b"});
}

TEST_P(HostedSqlite, gives_the_room_of_what_it_took_back) {
  for (int i = 0; i < 100; ++i) put_large("old-" + std::to_string(i));
  const auto pages = std::stoll(raw_.value("PRAGMA page_count"));
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  sweep();
  EXPECT_EQ(raw_.value("PRAGMA freelist_count"), "0");
  EXPECT_LT(std::stoll(raw_.value("PRAGMA page_count")), pages / 10);
  EXPECT_EQ(raw_.value("PRAGMA integrity_check"), "ok");
}

TEST_P(HostedSqlite, leaves_a_file_as_large_as_it_is_that_cannot_shrink) {
  for (int i = 0; i < 10; ++i) put_large("old-" + std::to_string(i));
  raw_.run("PRAGMA auto_vacuum = NONE; VACUUM");
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  EXPECT_TRUE(sweep().finished);
  EXPECT_NE(raw_.value("PRAGMA freelist_count"), "0");
}

TEST_P(HostedSqlite, does_not_replace_what_a_newer_version_has_installed) {
  raw_.run("UPDATE threadkeep_modules SET version = 1000");
  for (const auto& call : {std::function<void()>([&] { retention_->install(Call()); }),
                           std::function<void()>([&] { sweep(); })}) {
    EXPECT_EQ(sqlite_test::error_of(call).code(), Code::unsupported);
  }
}

TEST_P(HostedSqlite, records_the_error_that_ended_it) {
  put_line("old", 1);
  raw_.run(R"(INSERT INTO threadkeep_retention_policies VALUES (1, '[{"name":"p","idle":"x"}]'))");
  EXPECT_THROW(sweep(), Error);
  const auto run = retention_->runs(1, Call()).front();
  EXPECT_EQ(run.state, "failed");
  EXPECT_NE(run.error, "");
}

INSTANTIATE_TEST_SUITE_P(Stores, HostedSqlite,
                         ::testing::Values("sqlite:{dir}/store.db?synchronous=normal"), scheme_of);

}  // namespace
}  // namespace threadkeep::retention_test
