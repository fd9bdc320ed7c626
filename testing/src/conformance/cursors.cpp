// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_cursors_cases() {}

namespace {

using Strings = std::vector<std::string>;

CheckpointList pages_of_two(std::string thread_id) {
  auto query = of_thread(std::move(thread_id));
  query.limit = 2;
  return query;
}

TEST_P(Cursors, walk_every_row_once) {
  put_chain("t", 5);
  auto query = pages_of_two("t");
  Strings seen;
  int pages = 0;
  do {
    const auto page = access().list(query, Call{});
    for (const auto& item : page.items) seen.push_back(item.checkpoint_id);
    query.cursor = page.next;
    ++pages;
  } while (!query.cursor.empty());
  EXPECT_EQ(seen, (Strings{"5", "4", "3", "2", "1"}));
  EXPECT_EQ(pages, 3);
}

TEST_P(Cursors, end_where_the_rows_end) {
  put_chain("t", 4);
  auto query = pages_of_two("t");
  query.cursor = access().list(query, Call{}).next;
  ASSERT_NE(query.cursor, "");
  const auto last = access().list(query, Call{});
  EXPECT_EQ(last.items.size(), 2U);
  EXPECT_EQ(last.next, "");
}

TEST_P(Cursors, tell_rows_with_one_id_apart) {
  for (const auto* thread_id : {"a", "b", "c"}) {
    for (const auto* ns : {"", "x", "y"}) put(Draft(thread_id, "1").ns(ns));
  }
  CheckpointList query;
  query.limit = 2;
  Strings places;
  for (const auto& item : all(query)) places.push_back(item.thread_id + item.checkpoint_ns);
  EXPECT_EQ(places, (Strings{"a", "ax", "ay", "b", "bx", "by", "c", "cx", "cy"}));
}

TEST_P(Cursors, stay_valid_when_rows_come_and_go) {
  for (const auto* id : {"1", "3", "5", "7"}) {
    put(Draft("t", id).metadata(std::string(R"({"run_id": ")") + id + "\"}"));
  }
  auto query = pages_of_two("t");
  query.cursor = access().list(query, Call{}).next;
  put(Draft("t", "9"));      // Before the position: not seen any more.
  put(Draft("t", "2"));      // After it: seen.
  write(DeleteRuns{{"5"}});  // The row that the cursor stands on.
  EXPECT_EQ(ids(query), (Strings{"3", "2", "1"}));
}

TEST_P(Cursors, survive_the_end_of_their_thread) {
  put_chain("t", 4);
  auto query = pages_of_two("t");
  query.cursor = access().list(query, Call{}).next;
  write(DeleteThread{"t"});
  EXPECT_EQ(ids(query), Strings{});
}

TEST_P(Cursors, hold_their_place_under_another_page_size) {
  put_chain("t", 5);
  auto query = pages_of_two("t");
  query.cursor = access().list(query, Call{}).next;
  query.limit = 100;
  EXPECT_EQ(ids(query), (Strings{"3", "2", "1"}));
}

TEST_P(Cursors, of_filtered_listings_continue) {
  for (int i = 1; i <= 8; ++i) {
    put(Draft("t", std::to_string(i)).metadata(i % 2 == 0 ? R"({"k": 1})" : R"({"k": 2})"));
  }
  auto query = of_thread("t");
  query.filter = {{"k", "1"}};
  query.limit = 1;
  query.before = "8";
  EXPECT_EQ(ids(query), (Strings{"6", "4", "2"}));
}

TEST_P(Cursors, are_refused_when_damaged) {
  put_chain("t", 4);
  auto query = pages_of_two("t");
  const auto good = access().list(query, Call{}).next;
  auto flipped = good;
  flipped[flipped.size() / 2] = flipped[flipped.size() / 2] == 'A' ? 'B' : 'A';
  for (const auto& bad : {std::string("garbage"), std::string("====="), std::string("\n"), flipped,
                          good.substr(1), good.substr(0, good.size() - 1), good + "A"}) {
    query.cursor = bad;
    SCOPED_TRACE(bad);
    expect_error(Code::invalid_argument, "cursor", [&] { access().list(query, Call{}); });
  }
}

TEST_P(Cursors, are_refused_by_another_query) {
  put_chain("t", 4);
  put_chain("u", 4);
  const auto cursor = access().list(pages_of_two("t"), Call{}).next;
  std::vector<CheckpointList> others(5, pages_of_two("t"));
  others[0].thread_id = "u";
  others[1].checkpoint_ns = "";
  others[2].before = "4";
  others[3].filter = {{"step", "1"}};
  others[4].checkpoint_id = "1";
  for (auto& other : others) {
    other.cursor = cursor;
    expect_error(Code::invalid_argument, "cursor", [&] { access().list(other, Call{}); });
  }
}

TEST_P(Cursors, of_threads_and_checkpoints_are_not_the_same) {
  put_chain("t", 3);
  put_chain("u", 3);
  ThreadList threads;
  threads.limit = 1;
  const auto cursor = access().threads(threads, Call{}).next;
  ASSERT_NE(cursor, "");
  CheckpointList query;
  query.cursor = cursor;
  expect_error(Code::invalid_argument, "cursor", [&] { access().list(query, Call{}); });
  threads.cursor = access().list(pages_of_two("t"), Call{}).next;
  expect_error(Code::invalid_argument, "cursor", [&] { access().threads(threads, Call{}); });
  threads.cursor = "garbage";
  expect_error(Code::invalid_argument, "cursor", [&] { access().threads(threads, Call{}); });
}

}  // namespace

}  // namespace threadkeep::testing
