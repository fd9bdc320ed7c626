// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>

#include "sessions/cases.hpp"
#include "threadkeep/testing/session_conformance.hpp"

namespace threadkeep::testing {

void keep_pops_cases() {}

namespace {

using Strings = std::vector<std::string>;

TEST_P(Pops, take_the_newest_and_return_them_whole) {
  append("t", {"a", "b", "c"});
  const auto stored = all_messages(of_stream("t"));
  const auto popped = pop("t", 2);
  EXPECT_EQ(popped.changed, 2U);
  EXPECT_EQ(popped.messages, (std::vector<Message>{stored[1], stored[2]}));
  EXPECT_EQ(popped.revision, 2);
  EXPECT_EQ(message_ids("t"), Strings{"a"});
}

TEST_P(Pops, of_an_empty_stream_return_nothing) {
  EXPECT_EQ(pop("t", 1).messages.size(), 0U);
  EXPECT_EQ(thread_ids(), Strings{});
  append("t", {"a"});
  EXPECT_EQ(pop("t", 5).messages.size(), 1U);
  EXPECT_EQ(pop("t", 5).messages.size(), 0U);
  EXPECT_EQ(pop("t", 0).messages.size(), 0U);
  EXPECT_EQ(revision("t"), 2);
}

TEST_P(Pops, leave_other_streams_alone) {
  append("t", {"a"});
  write(AppendMessages{"t", "s", {new_message("b")}, {}, "", {}});
  EXPECT_EQ(places(pop("t", 9).messages), Strings{"a@1"});
  EXPECT_EQ(message_ids("t", "s"), Strings{"b"});
}

TEST_P(Pops, by_operation_return_what_the_first_did) {
  append("t", {"a", "b", "c"});
  const auto first = pop("t", 1, "op");
  append("t", {"d"});
  EXPECT_EQ(pop("t", 1, "op"), first);
  EXPECT_EQ(message_ids("t"), (Strings{"a", "b", "d"}));
  expect_error(Code::conflict, "operation_id 'op'", [&] { pop("t", 2, "op"); });
}

TEST_P(Pops, without_an_operation_are_each_their_own) {
  append("t", {"a", "b"});
  EXPECT_EQ(places(pop("t", 1).messages), Strings{"b@2"});
  EXPECT_EQ(places(pop("t", 1).messages), Strings{"a@1"});
}

TEST_P(Pops, stop_before_they_weigh_too_much) {
  const std::string large = "\"" + std::string(max_pop_bytes / 2, 'x') + "\"";
  for (const auto* id : {"a", "b", "c"}) {
    write(AppendMessages{"t", "", {{id, "user", large, "{}"}}, {}, "", {}});
  }
  const auto popped = pop("t", 3, "op");
  EXPECT_EQ(places(popped.messages), Strings{"c@3"});
  EXPECT_EQ(pop("t", 3, "op"), popped);
  EXPECT_EQ(message_ids("t"), (Strings{"a", "b"}));
}

TEST_P(Pops, by_two_never_get_one_message) {
  constexpr int count = 120;
  Strings ids;
  for (int i = 0; i < count; ++i) ids.push_back(std::to_string(1000 + i));
  append("t", ids);
  std::mutex mutex;
  std::multiset<std::string> seen;
  const auto run = [&](std::size_t at_once) {
    for (;;) {
      const auto popped = pop("t", at_once).messages;
      if (popped.empty()) return;
      const std::lock_guard lock(mutex);
      for (const auto& message : popped) seen.insert(message.id);
    }
  };
  std::thread other(run, 1);
  run(2);
  other.join();
  EXPECT_EQ(Strings(seen.begin(), seen.end()), ids);
}

TEST_P(Pops, have_limits) {
  expect_error(Code::invalid_argument, "1000", [&] { pop("t", 1001); });
  expect_error(Code::invalid_argument, "operation_id", [&] { pop("t", 1, std::string(513, 'x')); });
}

}  // namespace

}  // namespace threadkeep::testing
