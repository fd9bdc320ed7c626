// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "sessions/cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/session_conformance.hpp"

namespace threadkeep::testing {

void keep_appends_cases() {}

namespace {

using Strings = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

AppendMessages append_of(std::string thread_id, std::vector<NewMessage> messages,
                         std::string operation_id = {}) {
  AppendMessages append;
  append.thread_id = std::move(thread_id);
  append.messages = std::move(messages);
  append.operation_id = std::move(operation_id);
  return append;
}

StateChange put_change(std::string key, std::string value) {
  return {std::move(key), StateChange::Kind::put, std::move(value), {}};
}

TEST_P(Appends, keep_messages_whole_and_in_order) {
  set_clock(1'800'000'000'000'000);
  auto append = append_of("t", {});
  append.messages = {{"a", "user", R"({"text": "hi"})", R"({"lang": "de"})"},
                     {"b", "assistant", "[1, null]", "{}"}};
  const auto written = write(append);
  EXPECT_EQ(written.changed, 2U);
  EXPECT_EQ(places(written.messages), (Strings{"a@1", "b@2"}));
  EXPECT_EQ(written.revision, 1);
  const auto stored = all_messages(of_stream("t"));
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_EQ(stored[0].role, "user");
  EXPECT_TRUE(json_equal(stored[0].content, R"({"text": "hi"})"));
  EXPECT_TRUE(json_equal(stored[0].metadata, R"({"lang": "de"})"));
  EXPECT_EQ(stored[0].created_at, 1'800'000'000'000'000);
  EXPECT_EQ(stored[0].version, 1);
  EXPECT_TRUE(json_equal(stored[1].content, "[1, null]"));
  EXPECT_EQ(message("t", "b"), stored[1]);
}

TEST_P(Appends, return_places_without_the_text) {
  const auto written = append("t", {"a"});
  ASSERT_EQ(written.messages.size(), 1U);
  EXPECT_EQ(written.messages[0].content, "");
  EXPECT_EQ(written.messages[0].metadata, "");
  EXPECT_EQ(written.messages[0].version, 1);
}

TEST_P(Appends, count_each_stream_from_one) {
  append("t", {"a", "b"});
  auto other = append_of("t", {new_message("c")});
  other.stream = "tools";
  EXPECT_EQ(places(write(other).messages), Strings{"c@1"});
  EXPECT_EQ(places(append("t", {"d"}).messages), Strings{"d@3"});
  EXPECT_EQ(places(append("u", {"a"}).messages), Strings{"a@1"});
  EXPECT_EQ(message_ids("t"), (Strings{"a", "b", "d"}));
  EXPECT_EQ(message_ids("t", "tools"), Strings{"c"});
}

TEST_P(Appends, give_ids_to_messages_that_have_none) {
  const auto written = write(append_of("t", {new_message("", "user"), new_message("", "user")}));
  ASSERT_EQ(written.messages.size(), 2U);
  EXPECT_LT(written.messages[0].id, written.messages[1].id);
  EXPECT_EQ(message_ids("t"), (Strings{written.messages[0].id, written.messages[1].id}));
}

TEST_P(Appends, never_assign_a_seq_again) {
  append("t", {"a", "b", "c"});
  pop("t", 1);
  EXPECT_EQ(places(append("t", {"d"}).messages), Strings{"d@4"});
  write(RemoveMessages{"t", {"d"}});
  EXPECT_EQ(places(append("t", {"e"}).messages), Strings{"e@5"});
  write(ClearMessages{"t", {}});
  EXPECT_EQ(places(append("t", {"f"}).messages), Strings{"f@6"});
}

TEST_P(Appends, of_known_ids_keep_what_is_there) {
  append("t", {"a", "b"});
  const auto written = append("t", {"a", "b"});
  EXPECT_EQ(written.changed, 0U);
  EXPECT_EQ(written.kept, 2U);
  EXPECT_EQ(places(written.messages), (Strings{"a@1", "b@2"}));
  EXPECT_EQ(written.revision, 1);
  EXPECT_EQ(places(append("t", {"b", "c"}).messages), (Strings{"b@2", "c@3"}));
  EXPECT_EQ(message_ids("t"), (Strings{"a", "b", "c"}));
}

TEST_P(Appends, compare_known_messages_by_value) {
  write(append_of("t", {{"a", "user", R"({"x": 1, "y": 2})", "{}"}}));
  EXPECT_EQ(write(append_of("t", {{"a", "user", R"({"y":2.0,"x":1})", "{ }"}})).kept, 1U);
}

TEST_P(Appends, of_known_ids_with_other_content_are_conflicts) {
  append("t", {"a"});
  auto other_stream = append_of("t", {new_message("a")});
  other_stream.stream = "s";
  for (const auto& other :
       {append_of("t", {{"a", "user", "\"other\"", "{}"}}),
        append_of("t", {{"a", "tool", "\"a\"", "{}"}}),
        append_of("t", {{"a", "user", "\"a\"", R"({"x": 1})"}}), other_stream,
        append_of("t", {new_message("new"), {"a", "user", "\"other\"", "{}"}})}) {
    expect_error(Code::conflict, "'a'", [&] { write(other); });
  }
  EXPECT_EQ(message_ids("t"), Strings{"a"});
  EXPECT_EQ(places(append("t", {"b"}).messages), Strings{"b@2"});
}

TEST_P(Appends, may_name_a_message_twice) {
  EXPECT_EQ(places(append("t", {"a", "b", "a"}).messages), (Strings{"a@1", "b@2", "a@1"}));
  expect_error(Code::conflict, "'c'", [&] {
    write(append_of("t", {new_message("c"), {"c", "user", "1", "{}"}}));
  });
  EXPECT_EQ(message_ids("t"), (Strings{"a", "b"}));
}

TEST_P(Appends, by_operation_return_what_the_first_did) {
  const auto first = write(append_of("t", {new_message("a")}, "op"));
  append("t", {"b"});
  // Ids do not count: the store may have made them.
  const auto second = write(append_of("t", {{"other id", "user", "\"a\"", "{}"}}, "op"));
  EXPECT_EQ(second, first);
  EXPECT_EQ(message_ids("t"), (Strings{"a", "b"}));
}

TEST_P(Appends, by_operation_are_known_also_when_their_messages_are_gone) {
  const auto first = write(append_of("t", {new_message("a")}, "op"));
  pop("t", 1);
  EXPECT_EQ(write(append_of("t", {new_message("a")}, "op")), first);
  EXPECT_EQ(message_ids("t"), Strings{});
}

TEST_P(Appends, of_another_content_by_the_same_operation_are_conflicts) {
  write(append_of("t", {new_message("a")}, "op"));
  auto with_state = append_of("t", {new_message("a")}, "op");
  with_state.state = {put_change("k", "1")};
  auto elsewhere = append_of("t", {new_message("a")}, "op");
  elsewhere.stream = "s";
  for (const auto& other : {append_of("t", {new_message("b")}, "op"), with_state, elsewhere}) {
    expect_error(Code::conflict, "operation_id 'op'", [&] { write(other); });
  }
  expect_error(Code::conflict, "operation_id 'op'", [&] { pop("t", 1, "op"); });
  EXPECT_EQ(write(append_of("u", {new_message("b")}, "op")).changed, 1U);
}

TEST_P(Appends, forget_an_operation_after_many_revisions) {
  write(append_of("t", {new_message("a")}, "op"));
  std::vector<Mutation> many;
  for (int i = 0; i < 1000; ++i) {
    many.emplace_back(
        ChangeState{StateScope::of_thread("t"), {put_change("n", std::to_string(i))}});
  }
  for (const auto& outcome : store()->write_all(many, Call{})) ASSERT_FALSE(outcome.error);
  write(append_of("t", {new_message("b")}, "another"));
  EXPECT_EQ(write(append_of("t", {new_message("c")}, "op")).changed, 1U);
}

TEST_P(Appends, may_demand_a_revision) {
  auto first = append_of("t", {new_message("a")});
  first.expected_revision = 0;
  EXPECT_EQ(write(first).revision, 1);
  auto late = append_of("t", {new_message("b")});
  late.expected_revision = 0;
  expect_error(Code::conflict, "revision 1", [&] { write(late); });
  late.expected_revision = 1;
  EXPECT_EQ(write(late).revision, 2);
  EXPECT_EQ(write(late).kept, 1U) << "carried out before: the revision does not matter";
  EXPECT_EQ(message_ids("t"), (Strings{"a", "b"}));
}

TEST_P(Appends, change_state_with_them) {
  auto append = append_of("t", {new_message("a")});
  append.state = {put_change("k", "1"), put_change("l", R"({"x": 1})")};
  const auto written = write(append);
  EXPECT_EQ(written.changed, 3U);
  EXPECT_EQ(written.versions, (Numbers{1, 1}));
  EXPECT_EQ(written.revision, 1);
  put_state(StateScope::of_thread("t"), "k", "7");
  const auto again = write(append);
  EXPECT_EQ(again.changed, 0U);
  EXPECT_EQ(again.versions, (Numbers{2, 1}));
  EXPECT_EQ(state(StateScope::of_thread("t"), "k")->value, "7") << "not put back";
}

TEST_P(Appends, are_not_done_when_their_state_is_a_conflict) {
  put_state(StateScope::of_thread("t"), "k", "1");
  auto append = append_of("t", {new_message("a")}, "op");
  append.state = {put_change("l", "1"), {"k", StateChange::Kind::put, "2", 5}};
  expect_error(Code::conflict, "'k'", [&] { write(append); });
  EXPECT_EQ(message_ids("t"), Strings{});
  EXPECT_EQ(documents(StateScope::of_thread("t")), Strings{"k 1 1"});
  EXPECT_EQ(revision("t"), 1);
  append.state.pop_back();
  EXPECT_EQ(places(write(append).messages), Strings{"a@1"});
}

TEST_P(Appends, from_many_threads_lose_nothing) {
  constexpr int writers = 6;
  constexpr int each = 15;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < each; ++i) {
        const auto id = std::to_string(writer) + "-" + std::to_string(i);
        append("t", {id + "a", id + "b"});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto stored = all_messages(of_stream("t"));
  ASSERT_EQ(stored.size(), std::size_t{2} * writers * each);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    EXPECT_EQ(stored[i].seq, static_cast<std::int64_t>(i) + 1);
    if (i % 2 == 1) {
      EXPECT_EQ(stored[i].id.substr(0, stored[i].id.size() - 1),
                stored[i - 1].id.substr(0, stored[i - 1].id.size() - 1));
    }
  }
  EXPECT_EQ(revision("t"), writers * each);
}

TEST_P(Appends, have_limits) {
  std::vector<NewMessage> many(1001, new_message(""));
  expect_error(Code::invalid_argument, "1000", [&] { write(append_of("t", many)); });
  many.pop_back();
  EXPECT_EQ(write(append_of("t", many)).changed, 1000U);
  expect_error(Code::invalid_argument, "messages", [&] { write(append_of("t", {})); });
  expect_error(Code::invalid_argument, "thread_id", [&] { append("", {"a"}); });
  expect_error(Code::invalid_argument, "message id", [&] { append("t", {std::string(513, 'x')}); });
  expect_error(Code::invalid_argument, "content", [&] {
    write(append_of("t", {{"a", "user", "no json", "{}"}}));
  });
  expect_error(Code::invalid_argument, "metadata", [&] {
    write(append_of("t", {{"a", "user", "1", "[]"}}));
  });
  auto negative = append_of("t", {new_message("a")});
  negative.expected_revision = -1;
  expect_error(Code::invalid_argument, "expected_revision", [&] { write(negative); });
}

TEST_P(Appends, take_awkward_ids_apart) {
  const Strings ids{"a:b", "{a}", "*", "a|b", " ", "\u00e9", "a%", "'\"\\"};
  for (const auto& thread_id : ids) append(thread_id, ids);
  for (const auto& thread_id : ids) EXPECT_EQ(message_ids(thread_id), ids);
  for (const auto& stream : ids) {
    auto append = append_of("t", {new_message("in " + stream)});
    append.stream = stream;
    EXPECT_EQ(write(append).messages.at(0).seq, 1);
    EXPECT_EQ(message_ids("t", stream), Strings{"in " + stream});
  }
}

}  // namespace

}  // namespace threadkeep::testing
