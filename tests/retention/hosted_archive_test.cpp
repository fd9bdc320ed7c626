// SPDX-License-Identifier: Apache-2.0
// Sweeps that archive what they delete.
#include "archives.hpp"
#include "hosted_fixture.hpp"

namespace threadkeep::retention_test {
namespace {

using namespace retention;
using Strings = std::vector<std::string>;

class HostedArchive : public Hosted {
 protected:
  /// A line of checkpoints, messages and state.
  void put_whole(const std::string& thread) {
    store_.write(PutThread{thread, R"({"user": "ada", "n": 1.0})"}, Call());
    put_line(thread, 5);
    AppendMessages append;
    append.thread_id = thread;
    append.messages.push_back({"m1", "user", R"({"text": "hi"})", "{}"});
    store_.write(append, Call());
    store_.write(
        ChangeState{StateScope::of_thread(thread), {{"k", StateChange::Kind::put, "1.0", {}}}},
        Call());
  }
  SweepResult sweep_with_archive(
      std::uint32_t batch = 1000, std::function<void()> after = [] {}) {
    return retention_->sweep(archives_.options(store_, batch, std::move(after)), Call());
  }
  std::vector<AuditEntry> audit(const std::string& action) {
    std::vector<AuditEntry> found;
    for (const auto& entry : retention_->audit("", 1000, Call()).items) {
      if (entry.action == action) found.push_back(entry);
    }
    return found;
  }

  Archives archives_;
};

TEST_P(HostedArchive, restores_random_threads_into_an_empty_store) {
  ops::fill(store_, 3, 12);
  put_whole("whole");
  const auto content = load(store_);
  auto parts = ops::contents(store_);
  std::erase_if(parts, [](const auto& part) { return part.starts_with(ops::writes_only); });
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  EXPECT_TRUE(sweep_with_archive(3).finished);
  EXPECT_EQ(threads(), Strings{});
  Store empty(Registry::builtin().open("memory:"));
  archives_.import_into(empty);
  EXPECT_EQ(ops::contents(empty), parts);
  const auto restored = load(empty);
  EXPECT_EQ(restored.size(), content.size());
  expect_equal(restored, content);
}

TEST_P(HostedArchive, restores_threads_into_the_store_that_they_went_from) {
  put_whole("ada");
  put_whole("bob");
  const auto content = load(store_);
  const auto parts = ops::contents(store_);
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  sweep_with_archive();
  EXPECT_EQ(threads(), Strings{});
  archives_.import_into(store_);
  EXPECT_EQ(ops::contents(store_), parts);
  expect_equal(load(store_), content);
  archives_.import_into(store_);
  EXPECT_EQ(ops::contents(store_), parts) << "once more changes nothing";
}

TEST_P(HostedArchive, restores_checkpoints_of_a_thread_that_stayed_and_went_on) {
  put_whole("ada");
  const auto whole = load(store_);
  apply(R"([{"name": "two", "idle": "off", "keep_last": 2}])");
  sweep_with_archive();
  EXPECT_EQ(ids("ada"), (Strings{"4", "5"}));
  store_.write(Draft("ada", "6").parent("5").value("a", "6", "on").carries("shared", "1"), Call());
  store_.write(Draft("ada", "7").parent("6").carries("a", "6").carries("shared", "1"), Call());
  sweep_with_archive();
  EXPECT_EQ(ids("ada"), (Strings{"6", "7"}));
  EXPECT_EQ(archives_.files().size(), 2U);
  archives_.import_into(store_);
  EXPECT_EQ(ids("ada"), (Strings{"1", "2", "3", "4", "5", "6", "7"}));
  const auto after = load(store_);
  for (const auto& [key, loaded] : whole) EXPECT_EQ(after.at(key), loaded);
}

TEST_P(HostedArchive, is_made_of_many_files_and_has_every_thread_that_went) {
  for (int i = 0; i < 30; ++i) put_line("old-" + std::to_string(i), 2);
  clock_.pass(8 * day);
  put_line("young", 2);
  apply(R"([{"name": "week"}])");
  const auto result = sweep_with_archive(7);
  EXPECT_EQ(result.swept.threads, 30U);
  EXPECT_EQ(archives_.threads().size(), 30U);
  EXPECT_EQ(archives_.files().size(), 8U) << "four threads in each";
  std::uint64_t archived = 0;
  for (const auto& entry : audit("archive")) {
    EXPECT_TRUE(std::filesystem::exists(entry.reason)) << entry.reason;
    EXPECT_EQ(entry.run, result.run);
    archived += entry.threads;
  }
  EXPECT_EQ(archived, 30U);
}

TEST_P(HostedArchive, is_not_there_when_nothing_went) {
  put_line("young", 2);
  apply(R"([{"name": "week"}])");
  EXPECT_TRUE(sweep_with_archive().finished);
  EXPECT_TRUE(std::filesystem::is_empty(archives_.path()));
  retention_->expire("young", clock_.now(), Call());
  clock_.pass(second);
  const auto result = sweep_with_archive(1000, [&] { retention_->pin("young", Call()); });
  EXPECT_EQ(result.swept.threads, 0U);
  EXPECT_TRUE(std::filesystem::is_empty(archives_.path()));
  EXPECT_TRUE(audit("archive").empty());
}

TEST_P(HostedArchive, lacks_nothing_of_a_thread_that_changes_before_it_goes) {
  const std::vector<std::function<void()>> changes = {
      [&] { store_.write(Draft("ada", "6").parent("5").carries("a", "5"), Call()); },
      [&] { store_.write(Draft("ada", "5").parent("4").metadata(R"({"x": 1})"), Call()); },
      [&] {
        store_.write(PutWrites{"ada", "", "5", {pending("new", 0, "a", "x")}}, Call());
      },
      [&] {
        store_.write(PutWrites{"ada", "", "9", {pending("new", 0, "a", "x")}}, Call());
      },
      [&] {
        store_.write(PutWrites{"ada", "", "5", {pending("t", -1, "e", "12345")}}, Call());
      },
      [&] {
        store_.write(PutWrites{"ada", "", "5", {pending("t", -1, "e", "54321")}}, Call());
      },
      [&] {
        store_.write(PutThread{"ada", R"({"user": "bob"})"}, Call());
      },
      [&] {
        AppendMessages append;
        append.thread_id = "ada";
        append.messages.push_back({"m2", "user", "1", "{}"});
        store_.write(append, Call());
      },
      [&] {
        store_.write(
            ChangeState{StateScope::of_thread("ada"), {{"k", StateChange::Kind::put, "2", {}}}},
            Call());
      },
      [&] { store_.write(Prune{"ada"}, Call()); }};
  put_whole("ada");
  put_whole("other");
  for (const auto& change : changes) {
    retention_->expire("ada", clock_.now(), Call());
    clock_.pass(second);
    const auto result = sweep_with_archive(1000, change);
    EXPECT_EQ(result.swept.threads, 0U);
    EXPECT_EQ(result.swept.busy, 1U);
    EXPECT_TRUE(result.finished);
    EXPECT_EQ(threads(), (Strings{"ada", "other"}));
  }
  EXPECT_EQ(sweep_with_archive().swept.threads, 1U) << "the next sweep takes it";
  EXPECT_EQ(threads(), Strings{"other"});
}

TEST_P(HostedArchive, that_cannot_be_written_keeps_everything_where_it_is) {
  for (int i = 0; i < 10; ++i) put_line("old-" + std::to_string(i), 2);
  clock_.pass(8 * day);
  apply(R"([{"name": "week"}])");
  int batches = 0;
  const auto full = [&] {
    if (++batches == 2) throw Error(Code::no_space, "the disk is full");
  };
  try {
    sweep_with_archive(6, full);
    FAIL() << "the sweep went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::no_space);
  }
  EXPECT_EQ(threads().size(), 7U) << "what was archived has gone";
  EXPECT_EQ(retention_->runs(1, Call()).front().state, "failed");
  EXPECT_EQ(sweep_with_archive().swept.threads, 7U) << "the next sweep goes on";
}

TEST_P(HostedArchive, may_be_demanded_of_everybody) {
  put_line("old", 2);
  clock_.pass(8 * day);
  EXPECT_FALSE(retention_->archive_required(Call()));
  retention_->require_archive(true, Call());
  apply(R"([{"name": "week"}])");
  EXPECT_TRUE(retention_->archive_required(Call())) << "new policies do not lift it";
  EXPECT_EQ(retention_->policies(Call()).size(), 1U);
  EXPECT_EQ(retention_->preview(Call()).size(), 1U);
  try {
    sweep();
    FAIL() << "deleted without an archive";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::denied);
  }
  EXPECT_EQ(threads(), Strings{"old"});
  EXPECT_EQ(sweep_with_archive().swept.threads, 1U);
  retention_->require_archive(false, Call());
  retention_->require_archive(false, Call());
  EXPECT_TRUE(sweep().finished);
  EXPECT_EQ(audit("archive required").size(), 1U);
  EXPECT_EQ(audit("archive optional").size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Stores, HostedArchive, ::testing::ValuesIn(hosted_urls()), scheme_of);

}  // namespace
}  // namespace threadkeep::retention_test
