// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "sessions/cases.hpp"
#include "threadkeep/testing/session_conformance.hpp"

namespace threadkeep::testing {

void keep_message_pages_cases() {}

namespace {

using Strings = std::vector<std::string>;

MessageList pages_of_two(Direction direction = Direction::forward) {
  auto query = of_stream("t");
  query.direction = direction;
  query.limit = 2;
  return query;
}

TEST_P(MessagePages, walk_in_both_directions) {
  append("t", {"a", "b", "c", "d", "e"});
  EXPECT_EQ(message_ids(pages_of_two()), (Strings{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(message_ids(pages_of_two(Direction::backward)), (Strings{"e", "d", "c", "b", "a"}));
}

TEST_P(MessagePages, end_where_the_messages_end) {
  append("t", {"a", "b", "c", "d"});
  for (const auto direction : {Direction::forward, Direction::backward}) {
    auto query = pages_of_two(direction);
    query.cursor = access().messages(query, Call{}).next;
    ASSERT_NE(query.cursor, "");
    EXPECT_EQ(access().messages(query, Call{}).next, "");
  }
  auto none = pages_of_two();
  none.limit = 0;
  EXPECT_EQ(access().messages(none, Call{}).items.size(), 0U);
  EXPECT_EQ(access().messages(none, Call{}).next, "");
  EXPECT_EQ(message_ids("nobody"), Strings{});
  EXPECT_EQ(message_ids("t", "no stream"), Strings{});
}

TEST_P(MessagePages, end_early_by_bytes) {
  append("t", {"a", "b", "c"});
  auto query = of_stream("t");
  query.max_bytes = 1;
  const auto page = access().messages(query, Call{});
  EXPECT_EQ(places(page.items), Strings{"a@1"});
  EXPECT_NE(page.next, "");
  EXPECT_EQ(message_ids(query), (Strings{"a", "b", "c"}));
}

TEST_P(MessagePages, begin_after_a_seq) {
  append("t", {"a", "b", "c", "d", "e"});
  auto query = pages_of_two();
  query.after = 2;
  EXPECT_EQ(message_ids(query), (Strings{"c", "d", "e"}));
  EXPECT_EQ(access().count(query, Call{}), 3U);
  query.direction = Direction::backward;
  EXPECT_EQ(message_ids(query), (Strings{"e", "d", "c"}));
  query.after = 9;
  EXPECT_EQ(message_ids(query), Strings{});
  query.after = -7;
  EXPECT_EQ(message_ids(query).size(), 5U);
}

TEST_P(MessagePages, stay_valid_when_messages_come_and_go) {
  append("t", {"a", "b", "c", "d", "e"});
  for (const auto direction : {Direction::forward, Direction::backward}) {
    auto query = pages_of_two(direction);
    const auto page = access().messages(query, Call{});
    query.cursor = page.next;
    const auto anchor = page.items.back();
    write(RemoveMessages{"t", {anchor.id}});
    EXPECT_EQ(message_ids(query).size(), direction == Direction::forward ? 3U : 2U);
  }
  auto query = pages_of_two();
  query.cursor = access().messages(query, Call{}).next;
  write(DeleteThread{"t"});
  EXPECT_EQ(message_ids(query), Strings{});
}

TEST_P(MessagePages, give_each_surviving_message_once_while_others_come_and_go) {
  Strings ids;
  std::set<std::string> surviving;
  for (int i = 0; i < 300; ++i) {
    ids.push_back(std::to_string(1000 + i));
    if (i % 3 != 0) surviving.insert(ids.back());
  }
  append("t", ids);
  std::atomic<bool> done = false;
  std::thread changes([&] {
    for (int i = 0; i < 300 && !done; i += 3) {
      write(RemoveMessages{"t", {std::to_string(1000 + i)}});
      append("t", {"new " + std::to_string(i)});
    }
  });
  for (int walk = 0; walk < 6; ++walk) {
    auto query = of_stream("t");
    query.direction = walk % 2 == 0 ? Direction::forward : Direction::backward;
    query.limit = 7;
    const auto seen = all_messages(query);
    std::multiset<std::string> known;
    for (const auto& message : seen) known.insert(message.id);
    for (const auto& id : surviving) EXPECT_EQ(known.count(id), 1U) << id;
    EXPECT_EQ(std::set<std::string>(known.begin(), known.end()).size(), known.size());
    const bool ordered =
        std::is_sorted(seen.begin(), seen.end(), [&](const auto& a, const auto& b) {
          return query.direction == Direction::forward ? a.seq < b.seq : a.seq > b.seq;
        });
    EXPECT_TRUE(ordered);
  }
  done = true;
  changes.join();
}

TEST_P(MessagePages, are_refused_when_their_cursor_is_damaged) {
  append("t", {"a", "b", "c"});
  auto query = pages_of_two();
  const auto good = access().messages(query, Call{}).next;
  for (const auto& bad : {std::string("garbage"), good.substr(1), good + "A"}) {
    query.cursor = bad;
    expect_error(Code::invalid_argument, "cursor", [&] { access().messages(query, Call{}); });
  }
  query.thread_id = "nobody";
  expect_error(Code::invalid_argument, "cursor", [&] { access().messages(query, Call{}); });
}

TEST_P(MessagePages, are_refused_with_the_cursor_of_another_query) {
  append("t", {"a", "b", "c"});
  const auto cursor = access().messages(pages_of_two(), Call{}).next;
  std::vector<MessageList> others(5, pages_of_two());
  others[0].thread_id = "u";
  others[1].stream = "s";
  others[2].direction = Direction::backward;
  others[3].after = 1;
  others[4].filter = Filter::exists({"metadata", "x"});
  for (auto& other : others) {
    other.cursor = cursor;
    expect_error(Code::invalid_argument, "cursor", [&] { access().messages(other, Call{}); });
  }
  CheckpointList checkpoints = of_thread("t");
  checkpoints.cursor = cursor;
  expect_error(Code::invalid_argument, "cursor", [&] { access().list(checkpoints, Call{}); });
}

TEST_P(MessagePages, hold_their_place_under_another_page_size) {
  append("t", {"a", "b", "c", "d", "e"});
  auto query = pages_of_two();
  query.cursor = access().messages(query, Call{}).next;
  query.limit = 100;
  EXPECT_EQ(message_ids(query), (Strings{"c", "d", "e"}));
}

TEST_P(MessagePages, have_a_tail) {
  append("t", {"a", "b", "c", "d", "e"});
  EXPECT_EQ(places(access().tail({"t", "", 2, {}}, Call{})), (Strings{"d@4", "e@5"}));
  EXPECT_EQ(access().tail({"t", "", 100, {}}, Call{}).size(), 5U);
  EXPECT_EQ(access().tail({"t", "", 0, {}}, Call{}).size(), 0U);
  EXPECT_EQ(access().tail({"nobody", "", 3, {}}, Call{}).size(), 0U);
  write(UpdateMessage{"t", "b", {}, R"({"x": 1})", {}});
  const auto filter = Filter::exists({"metadata", "x"});
  EXPECT_EQ(places(access().tail({"t", "", 2, filter}, Call{})), Strings{"b@2"});
}

TEST_P(MessagePages, have_a_tail_heavier_than_a_page) {
  const std::string large = "\"" + std::string(20 * 1024 * 1024, 'x') + "\"";
  for (const auto* id : {"a", "b", "c"}) {
    write(AppendMessages{"t", "", {{id, "user", large, "{}"}}, {}, "", {}});
  }
  EXPECT_EQ(places(access().tail({"t", "", 3, {}}, Call{})), (Strings{"a@1", "b@2", "c@3"}));
}

TEST_P(MessagePages, are_counted) {
  EXPECT_EQ(access().count(of_stream("t"), Call{}), 0U);
  append("t", {"a", "b", "c"});
  auto query = of_stream("t");
  query.limit = 1;
  EXPECT_EQ(access().count(query, Call{}), 3U);
  pop("t", 1);
  EXPECT_EQ(access().count(query, Call{}), 2U);
  EXPECT_EQ(access().count(of_stream("t", "s"), Call{}), 0U);
}

}  // namespace

}  // namespace threadkeep::testing
