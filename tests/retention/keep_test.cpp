// SPDX-License-Identifier: Apache-2.0
// Inside Postgres, tombstones, the audit and runs go when they are older than they are kept.
#include "retention_fixture.hpp"
#include "threadkeep/testing/draft.hpp"

namespace threadkeep::retention_test {
namespace {

using retention::KeepTimes;
using testing::Draft;
using testing::pending;

class RetentionKeep : public RetentionFixture {
 protected:
  // A thread that had "1" and "2" and was deleted so many days ago.
  void leave_tombstone(const std::string& thread, double days) {
    store_.write(Draft(thread, "1"), Call());
    store_.write(Draft(thread, "2").parent("1"), Call());
    store_.write(DeleteThread{thread}, Call());
    age_tombstone(thread, days);
  }
  void age_tombstone(const std::string& thread, double days) {
    raw_.run(
        "UPDATE threadkeep_tombstones SET deleted_at = now() - $2::float * interval '1 day' "
        "WHERE thread_id = $1",
        {thread, std::to_string(days)});
  }
  bool is_young(const std::string& thread) {
    return raw_.value(
               "SELECT deleted_at > now() - interval '1 hour' FROM threadkeep_tombstones "
               "WHERE thread_id = '" +
               thread + "'") == "t";
  }
  std::string late_put(const std::string& thread) {
    try {
      store_.write(Draft(thread, "3").parent("2"), Call());
    } catch (const Error& error) {
      return std::string(to_string(error.code()));
    }
    return "stored";
  }
};

TEST_F(RetentionKeep, removes_old_tombstones) {
  leave_tombstone("old", 30.01);
  leave_tombstone("older", 300);
  leave_tombstone("young", 29.99);
  EXPECT_EQ(as_sweeper("SELECT tombstones FROM {}.threadkeep_retention_leftovers()"), "2\n");
  EXPECT_EQ(retention_.leftovers(KeepTimes(), Call()).tombstones, 2U);
  EXPECT_EQ(
      retention_.leftovers({.tombstones = std::chrono::days(1), .audit = {}}, Call()).tombstones,
      3U);
  EXPECT_NE(sweep().find("removed 2 old tombstones"), std::string::npos);
  EXPECT_EQ(raw_.value("SELECT string_agg(thread_id, ',') FROM threadkeep_tombstones"), "young");
  EXPECT_EQ(raw_.run("SELECT who, action, reason, threads FROM threadkeep_retention_audit"),
            Rows{"sweeper|purge|tombstones|2"});
  EXPECT_EQ(late_put("young"), "conflict");
  const PutWrites late{"old", "", "2", {pending("t", 0, "v", "x")}};
  EXPECT_EQ(store_.write(late, Call()).dropped, 0U);
  EXPECT_EQ(late_put("old"), "stored");
}

TEST_F(RetentionKeep, removes_them_in_batches_that_go_on_behind_each_other) {
  for (int i = 0; i < 7; ++i) leave_tombstone("t" + std::to_string(i), 40 + i);
  retention::SweepOptions options;
  options.batch_size = 2;
  const auto result = retention_.sweep(options, Call());
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.swept.tombstones, 7U);
  EXPECT_EQ(retention_.runs(1, Call())[0].swept.tombstones, 7U);
  EXPECT_EQ(raw_.run("SELECT threads FROM threadkeep_retention_audit ORDER BY audit_id"),
            (Rows{"2", "2", "2", "1"}));
}

TEST_F(RetentionKeep, counts_from_the_last_deletion_whoever_it_was) {
  leave_tombstone("deleted", 40);
  store_.write(Draft("deleted", "1"), Call());
  store_.write(DeleteThread{"deleted"}, Call());
  EXPECT_TRUE(is_young("deleted"));
  EXPECT_EQ(raw_.value("SELECT checkpoint_id FROM threadkeep_tombstones"), "2");

  leave_tombstone("pruned", 40);
  store_.write(Draft("pruned", "0"), Call());
  store_.write(Draft("pruned", "1").parent("0"), Call());
  store_.write(Prune{"pruned"}, Call());
  EXPECT_TRUE(is_young("pruned"));

  leave_tombstone("swept", 40);
  store_.write(Draft("swept", "1"), Call());
  set_times("swept", {}, 0);
  apply(R"([{"name": "p"}])");
  sweep();
  EXPECT_EQ(count("threadkeep_tombstones"), "3");
  EXPECT_TRUE(is_young("swept"));
}

TEST_F(RetentionKeep, keeps_a_tombstone_as_long_as_values_of_its_thread_wait) {
  adopt("busy", "1", "", 30);
  apply(R"([{"name": "p"}])");
  sweep();
  age_tombstone("busy", 40);
  sweep();
  EXPECT_EQ(count("threadkeep_tombstones"), "1");
  pass_grace();
  sweep();
  EXPECT_EQ(count("threadkeep_tombstones"), "0");
}

TEST_F(RetentionKeep, obeys_what_is_stored) {
  EXPECT_EQ(retention_.keep_times(Call()), KeepTimes()) << "the defaults are the same in SQL";
  retention_.keep(KeepTimes(), Call());
  EXPECT_EQ(count("threadkeep_retention_audit"), "0") << "that is what it was";
  const KeepTimes off{.tombstones = {}, .audit = {}};
  retention_.keep(off, Call());
  retention_.keep(off, Call());
  EXPECT_EQ(retention_.keep_times(Call()), off);
  EXPECT_EQ(raw_.run("SELECT action, reason FROM threadkeep_retention_audit"),
            Rows{"keep|tombstones off, audit off"});
  leave_tombstone("old", 4000);
  sweep();
  EXPECT_EQ(count("threadkeep_tombstones"), "1");
  retention_.keep({.tombstones = std::chrono::hours(1), .audit = std::chrono::days(1)}, Call());
  age_tombstone("old", 0.05);
  sweep();
  EXPECT_EQ(count("threadkeep_tombstones"), "0");
  for (const char* wrong : {"'59m', '1d'", "'1h', '23h'"}) {
    EXPECT_THROW(raw_.run("SELECT threadkeep_retention_keep(" + std::string(wrong) + ")"),
                 std::exception)
        << wrong;
  }
}

TEST_F(RetentionKeep, removes_old_entries_of_the_audit_and_old_runs) {
  for (int i = 0; i < 3; ++i) {
    retention_.pin("t" + std::to_string(i), Call());
    sweep();
  }
  raw_.run(
      "UPDATE threadkeep_retention_audit SET at = now() - interval '366 days' "
      "WHERE audit_id < 3");
  raw_.run(
      "UPDATE threadkeep_retention_runs SET finished_at = now() - interval '366 days' "
      "WHERE run_id < 3");
  EXPECT_EQ(retention_.leftovers(KeepTimes(), Call()).notes, 4U);
  const auto result = retention_.sweep({}, Call());
  EXPECT_EQ(result.swept.notes, 4U);
  EXPECT_NE(result.summary.find("removed 4 old notes"), std::string::npos) << result.summary;
  EXPECT_EQ(raw_.run("SELECT audit_id FROM threadkeep_retention_audit"), Rows{"3"});
  EXPECT_EQ(raw_.run("SELECT run_id, notes FROM threadkeep_retention_runs ORDER BY 1"),
            (Rows{"3|0", "4|4"}));
}

TEST_F(RetentionKeep, gives_the_role_that_sweeps_what_is_new_in_a_version) {
  raw_.run("DROP FUNCTION threadkeep_retention_leftovers, threadkeep_retention_batch");
  retention_.install(Call());
  EXPECT_EQ(as_sweeper("SELECT notes FROM {}.threadkeep_retention_leftovers()"), "0\n");
  sweep();
}

}  // namespace
}  // namespace threadkeep::retention_test
