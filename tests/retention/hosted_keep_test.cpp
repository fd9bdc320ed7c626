// SPDX-License-Identifier: Apache-2.0
// Tombstones, the audit and runs go when they are older than they are kept.
#include "hosted_fixture.hpp"

namespace threadkeep::retention_test {
namespace {

using namespace retention;

constexpr std::int64_t hour = 3'600 * second;

class HostedKeep : public Hosted {
 protected:
  void keep_tombstones(std::chrono::seconds time) {
    KeepTimes times;
    times.tombstones = time;
    retention_->keep(times, Call());
  }
  std::uint64_t old_tombstones() {
    return retention_->leftovers(retention_->keep_times(Call()), Call()).tombstones;
  }
  std::uint64_t purged() { return sweep().swept.tombstones; }
  void erase(const std::string& thread) { store_.write(DeleteThread{thread}, Call()); }
  // What a worker does that has loaded a checkpoint before it went.
  std::string late_put(const std::string& thread, const std::string& parent) {
    try {
      store_.write(Draft(thread, "9").parent(parent), Call());
    } catch (const Error& error) {
      return std::string(to_string(error.code()));
    }
    return "stored";
  }
};

TEST_P(HostedKeep, removes_tombstones_of_threads_and_of_what_they_lost) {
  put_line("gone", 2);
  put_line("thinned", 3);
  put_line("resumed", 2);
  erase("gone");
  erase("resumed");
  store_.write(Prune{"thinned"}, Call());
  put_line("resumed", 1);
  keep_tombstones(std::chrono::hours(2));
  clock_.pass(2 * hour);
  EXPECT_EQ(old_tombstones(), 0U);
  EXPECT_EQ(purged(), 0U);
  EXPECT_EQ(late_put("gone", "2"), "conflict");
  EXPECT_EQ(late_put("thinned", "1"), "conflict");
  EXPECT_EQ(late_put("resumed", "2"), "conflict");
  clock_.pass(1);
  EXPECT_EQ(old_tombstones(), 3U);
  const auto result = sweep();
  EXPECT_EQ(result.swept.tombstones, 3U) << "as many as a dry run counts";
  EXPECT_NE(result.summary.find("removed 3 old tombstones"), std::string::npos) << result.summary;
  EXPECT_EQ(old_tombstones(), 0U);
  EXPECT_EQ(retention_->runs(1, Call()).front().swept.tombstones, 3U);
  const auto entry = retention_->audit("", 1, Call()).items.front();
  EXPECT_EQ(entry.action, "purge");
  EXPECT_EQ(entry.reason, "tombstones");
  EXPECT_EQ(entry.threads, 3U);
  EXPECT_EQ(entry.run, result.run);
  EXPECT_EQ(ids("thinned").size(), 1U);
  EXPECT_EQ(ids("resumed").size(), 1U);
}

TEST_P(HostedKeep, lets_those_come_back_who_come_later_than_a_tombstone_stays) {
  put_line("gone", 2);
  erase("gone");
  clock_.pass(30 * day + 1);
  EXPECT_EQ(purged(), 1U) << "30 days where nobody said anything";
  const PutWrites late{"gone", "", "2", {pending("task", 0, "a", "x")}};
  EXPECT_EQ(store_.write(late, Call()).dropped, 0U);
  EXPECT_EQ(late_put("gone", "2"), "stored");
  EXPECT_EQ(ids("gone").size(), 1U);
}

TEST_P(HostedKeep, counts_from_the_last_deletion) {
  keep_tombstones(std::chrono::hours(1));
  put_line("again", 3);
  erase("again");
  clock_.pass(50 * 60 * second);
  put_line("again", 2);
  erase("again");
  clock_.pass(50 * 60 * second);
  EXPECT_EQ(purged(), 0U);
  EXPECT_EQ(late_put("again", "2"), "conflict");
  clock_.pass(10 * 60 * second + 1);
  EXPECT_EQ(purged(), 1U);
}

TEST_P(HostedKeep, keeps_tombstones_for_ever_where_it_is_switched_off) {
  keep_tombstones(std::chrono::seconds(0));
  put_line("gone", 2);
  erase("gone");
  clock_.pass(10'000 * day);
  EXPECT_EQ(old_tombstones(), 0U);
  EXPECT_EQ(purged(), 0U);
  EXPECT_EQ(late_put("gone", "2"), "conflict");
}

TEST_P(HostedKeep, leaves_writes_alone_that_are_ahead_of_their_checkpoint) {
  put_line("gone", 1);
  erase("gone");
  store_.write(PutWrites{"gone", "", "5", {pending("task", 0, "a", "ahead")}}, Call());
  clock_.pass(31 * day);
  EXPECT_EQ(purged(), 1U);
  store_.write(Draft("gone", "5"), Call());
  EXPECT_EQ(store_.get({"gone", "", "5", {}}, Call())->writes.size(), 1U);
}

TEST_P(HostedKeep, removes_any_number_in_batches) {
  for (int i = 0; i < 2'100; ++i) {
    const std::string id = "t" + std::to_string(i);
    store_.write(Draft(id, "1"), Call());
    erase(id);
  }
  clock_.pass(31 * day);
  EXPECT_EQ(old_tombstones(), 2'100U);
  EXPECT_EQ(purged(), 2'100U);
  std::uint64_t told = 0;
  for (const auto& entry : retention_->audit("", 100, Call()).items) {
    EXPECT_LE(entry.threads, 1'000U);
    told += entry.threads;
  }
  EXPECT_EQ(told, 2'100U);
}

TEST_P(HostedKeep, keeps_the_times_beside_policies_and_the_archive) {
  KeepTimes times{.tombstones = std::chrono::hours(5), .audit = std::chrono::days(3)};
  EXPECT_EQ(retention_->keep_times(Call()), KeepTimes());
  retention_->keep(times, Call());
  retention_->keep(times, Call());
  retention_->require_archive(true, Call());
  apply(R"([{"name": "week"}])");
  EXPECT_EQ(retention_->keep_times(Call()), times);
  EXPECT_TRUE(retention_->archive_required(Call()));
  retention_->keep(KeepTimes(), Call());
  EXPECT_TRUE(retention_->archive_required(Call()));
  EXPECT_EQ(retention_->policies(Call()).size(), 1U);
  int told = 0;
  for (const auto& entry : retention_->audit("", 100, Call()).items) {
    if (entry.action == "keep") ++told;
  }
  EXPECT_EQ(told, 2) << "what changes nothing is not told";
}

TEST_P(HostedKeep, removes_old_entries_of_the_audit_and_old_runs) {
  apply("[]");
  for (int i = 0; i < 3; ++i) {
    retention_->pin("t" + std::to_string(i), Call());
    sweep();
  }
  clock_.pass(200 * day);
  retention_->pin("late", Call());
  sweep();
  clock_.pass(165 * day);
  const auto notes = [&] {
    return retention_->leftovers(retention_->keep_times(Call()), Call()).notes;
  };
  EXPECT_EQ(notes(), 0U);
  clock_.pass(1);
  EXPECT_EQ(notes(), 7U) << "four entries and three runs";
  const auto result = sweep();
  EXPECT_EQ(result.swept.notes, 7U);
  EXPECT_EQ(result.run, 5);
  EXPECT_EQ(notes(), 0U);
  const auto runs = retention_->runs(100, Call());
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].swept.notes, 7U);
  EXPECT_EQ(runs[1].run, 4);
  const auto entries = retention_->audit("", 100, Call()).items;
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].thread_id, "late");
  retention_->unpin("late", Call());
  EXPECT_EQ(sweep().run, 6);
  const auto now = retention_->audit("", 100, Call()).items;
  ASSERT_EQ(now.size(), 2U);
  EXPECT_GT(now[0].id, entries[0].id);
}

TEST_P(HostedKeep, keeps_a_run_until_it_is_over) {
  sweep();
  clock_.pass(400 * day);
  SweepOptions options;
  std::size_t seen = 0;
  put_line("a", 1);
  retention_->expire("a", 1, Call());
  options.progress = [&](const Swept&) { seen = retention_->runs(100, Call()).size(); };
  EXPECT_EQ(retention_->sweep(options, Call()).swept.notes, 1U);
  EXPECT_EQ(seen, 2U);
  ASSERT_EQ(retention_->runs(100, Call()).size(), 1U);
  EXPECT_EQ(retention_->runs(100, Call())[0].state, "done");
}

INSTANTIATE_TEST_SUITE_P(Stores, HostedKeep, ::testing::ValuesIn(hosted_urls()), scheme_of);

}  // namespace
}  // namespace threadkeep::retention_test
