// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_threads_cases() {}

namespace {

using Strings = std::vector<std::string>;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t noon = 1'800'000'000 * second;  // A full minute.

TEST_P(Threads, are_listed_in_bytewise_order) {
  for (const auto* id : {"é", "b", "Z", "a", "10", "9"}) put(Draft(id, "1"));
  EXPECT_EQ(thread_ids(), (Strings{"10", "9", "Z", "a", "b", "é"}));
}

TEST_P(Threads, come_in_pages) {
  for (int i = 1; i <= 5; ++i) put(Draft("t" + std::to_string(i), "1"));
  ThreadList query;
  query.limit = 2;
  const auto first = access().threads(query, Call{});
  EXPECT_EQ(first.items.size(), 2U);
  EXPECT_NE(first.next, "");
  EXPECT_EQ(thread_ids(query), (Strings{"t1", "t2", "t3", "t4", "t5"}));
  query.cursor = first.next;
  put(Draft("t0", "1"));
  put(Draft("t22", "1"));
  write(DeleteThread{"t2"});
  EXPECT_EQ(thread_ids(query), (Strings{"t22", "t3", "t4", "t5"}));
  query.cursor = "";
  query.limit = 0;
  EXPECT_EQ(access().threads(query, Call{}).items.size(), 0U);
  EXPECT_EQ(access().threads(query, Call{}).next, "");
}

TEST_P(Threads, begin_with_a_checkpoint_or_metadata) {
  put_writes("by writes", "1", {pending("task", 0, "a", "x")});
  EXPECT_EQ(thread_ids(), Strings{});
  put(Draft("by checkpoint", "1").ns("child"));
  write(PutThread{"by metadata", R"({"user": "u"})"});
  EXPECT_EQ(thread_ids(), (Strings{"by checkpoint", "by metadata"}));
  EXPECT_EQ(thread("by checkpoint")->metadata, "{}");
  EXPECT_EQ(thread("by checkpoint")->revision, 0);
}

TEST_P(Threads, have_metadata_of_their_own) {
  put(Draft("t", "1").metadata(R"({"of": "the checkpoint"})"));
  write(PutThread{"t", R"({"user": "u", "nested": {"a": [1, null]}})"});
  EXPECT_TRUE(json_equal(thread("t")->metadata, R"({"user": "u", "nested": {"a": [1, null]}})"));
  EXPECT_TRUE(json_equal(load("t").metadata, R"({"of": "the checkpoint"})"));
  put(Draft("t", "2"));
  EXPECT_TRUE(json_equal(thread("t")->metadata, R"({"user": "u", "nested": {"a": [1, null]}})"));
}

TEST_P(Threads, count_the_changes_of_their_metadata) {
  write(PutThread{"t", R"({"a": 1, "b": 2})"});
  EXPECT_EQ(thread("t")->revision, 1);
  write(PutThread{"t", R"({"a": 2})"});
  EXPECT_EQ(thread("t")->revision, 2);
  EXPECT_TRUE(json_equal(thread("t")->metadata, R"({"a": 2})"));
  put(Draft("t", "1"));
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  EXPECT_EQ(thread("t")->revision, 2);
}

TEST_P(Threads, do_not_change_by_equal_metadata) {
  set_clock(noon);
  write(PutThread{"t", R"({"a": 1, "b": 2})"});
  const auto before = thread("t");
  set_clock(noon + 3600 * second);
  EXPECT_EQ(write(PutThread{"t", R"({ "b": 2.0, "a": 1 })"}),
            (Written{.changed = 0, .kept = 1, .dropped = 0}));
  EXPECT_EQ(thread("t"), before);
}

TEST_P(Threads, know_when_they_began_and_when_they_changed) {
  set_clock(noon);
  put(Draft("t", "1"));
  EXPECT_EQ(thread("t")->created_at, noon);
  EXPECT_EQ(thread("t")->updated_at, noon);
  set_clock(noon + 3600 * second);
  put(Draft("t", "2").parent("1"));
  EXPECT_EQ(thread("t")->created_at, noon);
  EXPECT_EQ(thread("t")->updated_at, noon + 3600 * second);
  set_clock(noon + 7200 * second);
  write(PutThread{"t", R"({"user": "u"})"});
  EXPECT_EQ(thread("t")->created_at, noon);
  EXPECT_EQ(thread("t")->updated_at, noon + 7200 * second);
}

TEST_P(Threads, tell_the_time_to_the_minute) {
  set_clock(noon);
  put(Draft("t", "1"));
  set_clock(noon + 59 * second);
  put(Draft("t", "2").parent("1"));
  EXPECT_EQ(thread("t")->updated_at, noon);
  set_clock(noon + 60 * second);
  put(Draft("t", "3").parent("2"));
  EXPECT_EQ(thread("t")->updated_at, noon + 60 * second);
}

TEST_P(Threads, are_touched_by_pending_writes) {
  set_clock(noon);
  put(Draft("t", "1"));
  set_clock(noon + 59 * second);
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  EXPECT_EQ(thread("t")->updated_at, noon);
  set_clock(noon + 3600 * second);
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  EXPECT_EQ(thread("t")->created_at, noon);
  EXPECT_EQ(thread("t")->updated_at, noon + 3600 * second)
      << "also where all of them stand already";
}

TEST_P(Threads, are_not_made_by_pending_writes) {
  put_writes("t", "1", {pending("task", 0, "a", "x")});
  EXPECT_FALSE(thread("t"));
}

TEST_P(Threads, are_not_touched_by_reads) {
  set_clock(noon);
  put(Draft("t", "1"));
  const auto before = thread("t");
  set_clock(noon + 3600 * second);
  get("t");
  ids_of("t");
  EXPECT_EQ(thread("t"), before);
}

TEST_P(Threads, keep_their_time_when_the_clock_goes_back) {
  set_clock(noon);
  put(Draft("t", "1"));
  set_clock(noon - 3600 * second);
  put(Draft("t", "2").parent("1"));
  EXPECT_EQ(thread("t")->updated_at, noon);
}

TEST_P(Threads, begin_again_after_deletion) {
  set_clock(noon);
  write(PutThread{"t", R"({"user": "u"})"});
  write(DeleteThread{"t"});
  set_clock(noon + 3600 * second);
  put(Draft("t", "1"));
  EXPECT_EQ(thread("t")->created_at, noon + 3600 * second);
  EXPECT_EQ(thread("t")->metadata, "{}");
}

TEST_P(Threads, are_found_one_by_one) {
  for (const auto* id : {"a", "ab", "b", "B"}) put(Draft(id, "1").ns("child"));
  write(PutThread{"a", R"({"user": "u"})"});
  put_writes("w", "1", {pending("task", 0, "a", "x")});
  const auto found = [&](const std::string& id) { return store()->thread({id}, Call()); };
  EXPECT_EQ(found("ab"), thread("ab"));
  EXPECT_EQ(found("a"), thread("a"));
  EXPECT_EQ(found("c"), std::nullopt) << "nobody";
  EXPECT_EQ(found("w"), std::nullopt) << "only pending writes";
}

TEST_P(Threads, are_filtered_by_their_metadata) {
  write(PutThread{"a", R"({"user": "u", "n": 1})"});
  write(PutThread{"b", R"({"user": "v", "n": 1.0, "o": {"x": [1]}})"});
  put(Draft("c", "1").metadata(R"({"user": "u"})"));
  const auto where = [&](std::vector<MetadataEquals> filter) {
    ThreadList query;
    query.filter = std::move(filter);
    query.limit = 1;
    return thread_ids(query);
  };
  EXPECT_EQ(where({{"user", "\"u\""}}), Strings{"a"});
  EXPECT_EQ(where({{"n", "1"}}), (Strings{"a", "b"}));
  EXPECT_EQ(where({{"n", "1"}, {"user", "\"v\""}}), Strings{"b"});
  EXPECT_EQ(where({{"o", R"({"x": [1]})"}}), Strings{"b"});
  EXPECT_EQ(where({{"missing", "null"}}), Strings{});
  EXPECT_EQ(where({{"n", "true"}}), Strings{});
}

}  // namespace

}  // namespace threadkeep::testing
