// SPDX-License-Identifier: Apache-2.0
// Threads that threadkeep has rows of, beside those that only LangGraph's own saver wrote.
#include "reads_fixture.hpp"

namespace threadkeep::postgres_test {
namespace {

// RFC 9562, appendix A.5; 1'645'557'742 seconds.
constexpr char newer_id[] = "1ec9414c-232a-6b00-b3c8-9f6bdeced846";
constexpr char older_id[] = "1ec9414c-232a-6a00-b3c8-9f6bdeced846";
constexpr std::int64_t newer_time = 1'645'557'742'000'000;

class ThreadLists : public ReadsFixture {
 protected:
  /// Times are seconds since 1970.
  void row(const std::string& thread_id, const std::string& created, const std::string& updated,
           const std::string& metadata = "{}") {
    raw_.run(
        "INSERT INTO threadkeep_threads VALUES "
        "($1, to_timestamp(nullif($2, '')::float8), to_timestamp($3::float8), 3, $4::jsonb)",
        {thread_id, created, updated, metadata});
  }

  Strings ids(ThreadList query = {}) {
    Strings ids;
    do {
      const auto page = threads(query);
      EXPECT_LE(page.items.size(), query.limit);
      for (const auto& thread : page.items) ids.push_back(thread.thread_id);
      query.cursor = page.next;
    } while (!query.cursor.empty());
    return ids;
  }
};

INSTANTIATE_TEST_SUITE_P(, ThreadLists,
                         ::testing::Values(Place::fresh, Place::adopted, Place::set_up),
                         place_name);

TEST_P(ThreadLists, merge_both_kinds_in_the_order_of_bytes) {
  for (const auto* id : {"é", "b", "Z", "a"}) checkpoint(id, "", "1");
  for (const auto* id : {"Z", "A", "ab", "日"}) row(id, "1", "1");
  const Strings expected{"A", "Z", "a", "ab", "b", "é", "日"};
  for (std::size_t limit = 1; limit < 9; ++limit) {
    EXPECT_EQ(ids({.filter = {}, .limit = limit, .cursor = {}}), expected) << limit;
  }
}

TEST_P(ThreadLists, know_the_time_of_a_thread_by_its_newest_checkpoint) {
  checkpoint("t", "", older_id);
  checkpoint("t", "", newer_id);
  EXPECT_EQ(threads().items, (std::vector<ThreadInfo>{{"t", 0, newer_time, 0, "{}"}}));
}

TEST_P(ThreadLists, do_not_invent_times) {
  checkpoint("t", "", "1");
  EXPECT_EQ(threads().items, (std::vector<ThreadInfo>{{"t", 0, 0, 0, "{}"}}));
  row("t", "", "5");
  EXPECT_EQ(threads().items, (std::vector<ThreadInfo>{{"t", 0, 5'000'000, 3, "{}"}}));
}

TEST_P(ThreadLists, take_the_later_of_the_row_and_the_newest_checkpoint) {
  checkpoint("older row", "", newer_id);
  row("older row", "1", "2");
  checkpoint("newer row", "", newer_id);
  row("newer row", "1", "2000000000");
  const auto page = threads();
  ASSERT_EQ(page.items.size(), 2U);
  EXPECT_EQ(page.items[0].updated_at, 2'000'000'000'000'000);
  EXPECT_EQ(page.items[1].updated_at, newer_time);
  EXPECT_EQ(page.items[1].created_at, 1'000'000);
}

TEST_P(ThreadLists, look_into_other_namespaces_only_when_the_root_is_empty) {
  checkpoint("child only", "child", newer_id);
  checkpoint("both", "", older_id);
  checkpoint("both", "child", newer_id);
  const auto page = threads();
  ASSERT_EQ(page.items.size(), 2U);
  EXPECT_LT(page.items[0].updated_at, newer_time);
  EXPECT_GT(page.items[0].updated_at, newer_time - 1'000'000);
  EXPECT_EQ(page.items[1].updated_at, newer_time);
}

TEST_P(ThreadLists, leave_out_threads_that_have_only_pending_writes) {
  pending("t", "1", "task", 0, "a", "x");
  blob("t", "a", "1", "x");
  EXPECT_EQ(ids(), Strings{});
}

TEST_P(ThreadLists, filtered_are_those_with_metadata_of_their_own) {
  checkpoint("t", "", newer_id, "", "", "", R"({"user": "u"})");
  row("u", "1", "1", R"({"user": "u", "n": 1.0})");
  row("v", "1", "1", R"({"user": "v", "n": 1})");
  checkpoint("v", "", newer_id);
  EXPECT_EQ(ids({.filter = {{"user", "\"u\""}}, .limit = 1, .cursor = {}}), Strings{"u"});
  EXPECT_EQ(ids({.filter = {{"n", "1"}}, .limit = 1, .cursor = {}}), (Strings{"u", "v"}));
  EXPECT_EQ(
      threads({.filter = {{"user", "\"v\""}}, .limit = 9, .cursor = {}}).items.at(0).updated_at,
      newer_time);
  std::vector<MetadataEquals> many(20, {"n", "1"});
  EXPECT_EQ(ids({.filter = many, .limit = 1, .cursor = {}}), (Strings{"u", "v"}));
}

TEST_P(ThreadLists, end_a_page_at_a_thousand) {
  raw_.run(
      "INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint) "
      "SELECT lpad(n::text, 5, '0'), '1', '{}' FROM generate_series(1, 1005) AS n");
  ThreadList query;
  query.limit = static_cast<std::size_t>(-1);
  const auto first = threads(query);
  EXPECT_EQ(first.items.size(), 1'000U);
  query.cursor = first.next;
  EXPECT_EQ(threads(query).items.size(), 5U);
  EXPECT_EQ(threads(query).next, "");
}

}  // namespace
}  // namespace threadkeep::postgres_test
