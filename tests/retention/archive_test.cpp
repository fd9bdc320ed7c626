// SPDX-License-Identifier: Apache-2.0
// Sweeps inside Postgres whose program archives what goes.
#include "archives.hpp"
#include "contents.hpp"
#include "retention_fixture.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::retention_test {
namespace {

using testing::Draft;
using testing::pending;

class RetentionArchive : public RetentionFixture {
 protected:
  retention::SweepResult sweep_with_archive(
      std::uint32_t batch = 1000, std::function<void()> after = [] {}) {
    return retention_.sweep(archives_.options(store_, batch, std::move(after)), Call());
  }
  std::string threads() {
    return raw_.value("SELECT string_agg(DISTINCT thread_id, ',') FROM checkpoints");
  }

  Archives archives_;
};

TEST_F(RetentionArchive, restores_threads_of_langgraphs_saver) {
  for (const char* thread : {"ada", "bob"}) {
    adopt(thread, "1", "", 31);
    adopt(thread, "2", "1", 30);
  }
  const auto before = load(store_);
  apply(R"([{"name": "p"}])");
  EXPECT_EQ(sweep_with_archive().swept.threads, 2U);
  EXPECT_EQ(count("checkpoints"), "0");
  for (int round = 0; round < 2; ++round) {
    archives_.import_into(store_);
    expect_equal(load(store_), before);
    EXPECT_EQ(load(store_).size(), 4U);
    pass_grace();
    // Nothing is due: the import counts as the last activity.
    EXPECT_EQ(sweep_with_archive().swept.threads, 0U);
  }
  Store empty(Registry::builtin().open("memory:"));
  archives_.import_into(empty);
  expect_equal(load(empty), before);
}

TEST_F(RetentionArchive, restores_messages_state_and_writes) {
  ops::fill(store_, 4, 8);
  auto parts = ops::contents(store_);
  std::erase_if(parts, [](const auto& part) { return part.starts_with(ops::writes_only); });
  raw_.run("UPDATE threadkeep_threads SET updated_at = now() - interval '30 days'");
  apply(R"([{"name": "p"}])");
  sweep_with_archive(3);
  EXPECT_TRUE(store_.threads({}, Call()).items.empty());
  Store empty(Registry::builtin().open("memory:"));
  archives_.import_into(empty);
  EXPECT_EQ(ops::contents(empty), parts);
}

TEST_F(RetentionArchive, restores_what_went_of_random_threads) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::int64_t now = Environment::system().now();
  apply(random_policies);
  for (int i = 0; i < 150; ++i) store(make_random_thread(random, i, now));
  const auto before = load(store_);
  EXPECT_TRUE(sweep_with_archive(40).finished);
  const auto left = load(store_);
  EXPECT_LT(left.size(), before.size());
  const auto archived = archives_.threads();
  for (const auto& [key, loaded] : before) {
    const auto& thread = std::get<0>(key);
    EXPECT_TRUE(left.contains(key) || archived.contains(thread)) << thread;
  }
  archives_.import_into(store_);
  const auto after = load(store_);
  EXPECT_EQ(after.size(), before.size());
  expect_equal(after, before);
}

// By a saver that takes no lock and leaves no time.
TEST_F(RetentionArchive, lacks_nothing_of_a_thread_that_changes_before_it_goes) {
  store_.write(Draft("ada", "1").value("a", "1", "x"), Call());
  store_.write(PutWrites{"ada", "", "1", {pending("t", -1, "__error__", "12345")}}, Call());
  adopt("ada", "2", "1", 30);
  apply(R"([{"name": "p", "idle": "off"}])");
  retention_.expire("ada", 1, Call());
  for (const char* change : {
           "INSERT INTO checkpoints SELECT thread_id, checkpoint_ns, '3', '2', type, checkpoint, "
           "metadata FROM checkpoints WHERE checkpoint_id = '2'",
           "UPDATE checkpoints SET metadata = '{\"a\": 1}' WHERE checkpoint_id = '2'",
           "UPDATE checkpoint_writes SET blob = '54321'",
           "INSERT INTO checkpoint_writes VALUES ('ada', '', '1', 'late', 0, 'a', 'x', 'x', '')",
           "INSERT INTO checkpoint_blobs VALUES ('ada', '', 'a', '9', 'x', 'x')",
           "UPDATE threadkeep_threads SET metadata = '{\"a\": 1}'",
           "DELETE FROM checkpoint_writes WHERE task_id = 'late'",
       }) {
    const auto result = sweep_with_archive(1000, [&] { raw_.run(change); });
    EXPECT_EQ(result.swept.threads, 0U) << change;
    EXPECT_EQ(result.swept.busy, 1U) << change;
    EXPECT_EQ(threads(), "ada") << change;
    EXPECT_TRUE(archives_.files().empty()) << "nothing went";
  }
  EXPECT_EQ(sweep_with_archive().swept.threads, 1U);
  EXPECT_EQ(archives_.files().size(), 1U);
  EXPECT_EQ(count("checkpoints"), "0");
}

TEST_F(RetentionArchive, lacks_no_thread_that_becomes_due_when_it_is_made) {
  adopt("old-1", "1", "", 30);
  apply(R"([{"name": "p"}])");
  const auto result = sweep_with_archive(1000, [&] { adopt("old-2", "1", "", 30); });
  EXPECT_EQ(result.swept.threads, 1U);
  EXPECT_EQ(threads(), "old-2");
  EXPECT_EQ(archives_.threads(), std::set<std::string>{"old-1"});
  sweep_with_archive();
  EXPECT_EQ(archives_.threads(), (std::set<std::string>{"old-1", "old-2"}));
}

TEST_F(RetentionArchive, is_told_in_the_audit) {
  for (int i = 0; i < 7; ++i) adopt("old-" + std::to_string(i), "1", "", 30);
  apply(R"([{"name": "p"}])");
  const auto result = sweep_with_archive(3);
  const auto files = archives_.files();
  EXPECT_EQ(files.size(), 3U);
  std::vector<std::string> told;
  for (const auto& entry : retention_.audit("", 100, Call()).items) {
    if (entry.action != "archive") continue;
    told.push_back(entry.reason);
    EXPECT_EQ(entry.run, result.run);
    EXPECT_EQ(entry.threads, told.size() == 1 ? 1U : 3U);
  }
  EXPECT_EQ(told, (std::vector<std::string>{files[2], files[1], files[0]}));
}

TEST_F(RetentionArchive, that_cannot_be_written_keeps_everything_where_it_is) {
  for (int i = 0; i < 5; ++i) adopt("old-" + std::to_string(i), "1", "", 30);
  apply(R"([{"name": "p"}])");
  EXPECT_THROW(sweep_with_archive(2, [] { throw Error(Code::no_space, "full"); }), Error);
  EXPECT_EQ(count("checkpoints"), "5");
  EXPECT_EQ(retention_.runs(1, Call()).front().state, "failed");
  EXPECT_EQ(sweep_with_archive().swept.threads, 5U) << "the next sweep goes on";
}

TEST_F(RetentionArchive, may_be_demanded_of_everybody) {
  adopt("old", "1", "", 30);
  apply(R"([{"name": "p"}])");
  EXPECT_FALSE(retention_.archive_required(Call()));
  retention_.require_archive(true, Call());
  EXPECT_TRUE(retention_.archive_required(Call()));
  apply(R"([{"name": "q"}])");
  for (const char* sql :
       {"CALL {}.threadkeep_retention_sweep()", "SELECT {}.langgraph_cleanup_old_data('1 day')"}) {
    const auto refused = as_sweeper(sql, 1);
    EXPECT_NE(refused.find("without an archive"), std::string::npos) << refused;
  }
  EXPECT_THROW(retention_.sweep({}, Call()), Error);
  as_sweeper("SELECT {}.threadkeep_retention_begin()");
  const auto run = raw_.value("SELECT max(run_id) FROM threadkeep_retention_runs");
  const auto unnamed = as_sweeper("SELECT b.error FROM {}.threadkeep_retention_batch(" + run +
                                  R"(, 5, '{"old": "?"}', NULL) AS b)");
  as_sweeper("SELECT {}.threadkeep_retention_finish(" + run + ", false)");
  EXPECT_NE(unnamed.find("without an archive"), std::string::npos) << unnamed;
  EXPECT_EQ(count("checkpoints"), "1");
  EXPECT_EQ(sweep_with_archive().swept.threads, 1U);
  retention_.require_archive(false, Call());
  adopt("old", "2", "", 30);
  EXPECT_NE(sweep().find("took checkpoints from 1 threads"), std::string::npos);
}

}  // namespace
}  // namespace threadkeep::retention_test
