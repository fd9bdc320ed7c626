// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sessions/cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/session_conformance.hpp"

namespace threadkeep::testing {

void keep_session_threads_cases() {}

namespace {

using Strings = std::vector<std::string>;

constexpr std::int64_t minute = 60'000'000;
const auto scope = StateScope::of_thread("t");

TEST_P(SessionThreads, begin_with_a_message_or_state) {
  set_clock(100 * minute);
  append("by message", {"a"});
  put_state(StateScope::of_thread("by state"), "k", "1");
  EXPECT_EQ(thread_ids(), (Strings{"by message", "by state"}));
  EXPECT_EQ(thread("by message")->created_at, 100 * minute);
  EXPECT_EQ(access().thread({"by message"}, Call{}), thread("by message"));
  EXPECT_FALSE(access().thread({"nobody"}, Call{}));
}

TEST_P(SessionThreads, count_what_changes_messages_state_and_metadata) {
  put(Draft("t", "1"));
  EXPECT_EQ(revision("t"), 0);
  append("t", {"a", "b", "c"});
  EXPECT_EQ(revision("t"), 1);
  put_state(scope, "k", "1");
  EXPECT_EQ(revision("t"), 2);
  write(PutThread{"t", R"({"x": 1})"});
  EXPECT_EQ(revision("t"), 3);
  write(UpdateMessage{"t", "a", "1", {}, {}});
  EXPECT_EQ(revision("t"), 4);
  write(RemoveMessages{"t", {"a"}});
  EXPECT_EQ(revision("t"), 5);
  pop("t", 1);
  EXPECT_EQ(revision("t"), 6);
  write(ClearMessages{"t", {}});
  EXPECT_EQ(revision("t"), 7);
  delete_state(scope, "k");
  EXPECT_EQ(revision("t"), 8);
  put(Draft("t", "2"));
  write(ClearMessages{"t", {}});
  EXPECT_EQ(revision("t"), 8);
}

TEST_P(SessionThreads, tell_the_time_of_changes_to_the_minute) {
  set_clock(100 * minute);
  append("t", {"a"});
  set_clock(101 * minute - 1);
  append("t", {"b"});
  EXPECT_EQ(thread("t")->updated_at, 100 * minute);
  set_clock(101 * minute);
  put_state(scope, "k", "1");
  EXPECT_EQ(thread("t")->updated_at, 101 * minute);
  set_clock(50 * minute);
  append("t", {"c"});
  EXPECT_EQ(thread("t")->updated_at, 101 * minute);
  EXPECT_EQ(thread("t")->created_at, 100 * minute);
}

TEST_P(SessionThreads, take_messages_and_state_with_them_when_deleted) {
  append("t", {"a", "b"});
  put_state(scope, "k", "1");
  put_state(StateScope::named("t"), "k", "2");
  append("u", {"a"});
  EXPECT_EQ(write(DeleteThread{"t"}).changed, 3U);
  EXPECT_EQ(message_ids("t"), Strings{});
  EXPECT_FALSE(access().message({"t", "a"}, Call{}));
  EXPECT_EQ(documents(scope), Strings{});
  EXPECT_EQ(documents(StateScope::named("t")), Strings{"k 2 1"});
  EXPECT_EQ(message_ids("u"), Strings{"a"});
  EXPECT_EQ(thread_ids(), Strings{"u"});
}

TEST_P(SessionThreads, begin_anew_after_deletion) {
  auto named = AppendMessages{"t", "", {new_message("a"), new_message("b")}, {}, "op", {}};
  write(named);
  put(Draft("t", "1"));
  write(DeleteThread{"t"});
  auto stale = AppendMessages{"t", "", {new_message("c")}, {}, "", 1};
  expect_error(Code::conflict, "revision 0", [&] { write(stale); });
  EXPECT_EQ(places(append("t", {"c"}).messages), Strings{"c@1"});
  EXPECT_EQ(revision("t"), 1);
  EXPECT_EQ(write(named).changed, 2U);
}

TEST_P(SessionThreads, are_copied_with_messages_and_state) {
  append("t", {"a", "b", "c"});
  write(UpdateMessage{"t", "b", "7", {}, {}});
  pop("t", 1);
  write(AppendMessages{"t", "s", {new_message("d")}, {}, "", {}});
  put_state(scope, "k", "1");
  put(Draft("t", "1"));
  const auto written = write(CopyThread{"t", "u"});
  EXPECT_EQ(written.changed, 5U);
  EXPECT_EQ(all_messages(of_stream("u")), all_messages(of_stream("t")));
  EXPECT_EQ(message_ids("u", "s"), Strings{"d"});
  EXPECT_EQ(documents(StateScope::of_thread("u")), Strings{"k 1 1"});
  EXPECT_EQ(revision("u"), 1);
  EXPECT_EQ(places(append("u", {"e"}).messages), Strings{"e@4"}) << "the popped seq stays used";
  EXPECT_EQ(message_ids("t"), (Strings{"a", "b"}));
}

TEST_P(SessionThreads, may_be_copied_again) {
  append("t", {"a", "b"});
  put_state(scope, "k", "1");
  write(CopyThread{"t", "u"});
  put_state(StateScope::of_thread("u"), "k", "\"of its own\"");
  const auto again = write(CopyThread{"t", "u"});
  EXPECT_EQ(again.changed, 0U);
  EXPECT_EQ(again.kept, 3U);
  EXPECT_EQ(write(CopyThread{"t", "t"}).kept, 3U);
}

TEST_P(SessionThreads, are_not_copied_onto_other_messages) {
  append("t", {"a", "b"});
  append("u", {"x"});
  expect_error(Code::conflict, "'u'", [&] { write(CopyThread{"t", "u"}); });
  pop("u", 1);
  expect_error(Code::conflict, "'u'", [&] { write(CopyThread{"t", "u"}); });
  EXPECT_EQ(message_ids("u"), Strings{});
  write(CopyThread{"t", "v"});
  append("t", {"c"});
  expect_error(Code::conflict, "'v'", [&] { write(CopyThread{"t", "v"}); });
  put(Draft("w", "1"));
  put(Draft("t", "1"));
  EXPECT_EQ(write(CopyThread{"t", "w"}).changed, 3U) << "it never had messages";
}

TEST_P(SessionThreads, name_the_streams_that_have_messages) {
  EXPECT_EQ(store()->streams({"t"}, {}), Strings{});
  for (const auto* stream : {"\u00e9", "b", "", "a|b", "B"}) {
    write(AppendMessages{"t", stream, {new_message(std::string("in ") + stream)}, {}, "", {}});
  }
  write(AppendMessages{"other", "c", {new_message("x")}, {}, "", {}});
  EXPECT_EQ(store()->streams({"t"}, {}), (Strings{"", "B", "a|b", "b", "\u00e9"}));
  write(ClearMessages{"t", "b"});
  write(RemoveMessages{"t", {"in B"}});
  EXPECT_EQ(store()->streams({"t"}, {}), (Strings{"", "a|b", "\u00e9"}));
  write(DeleteThread{"t"});
  EXPECT_EQ(store()->streams({"t"}, {}), Strings{});
}

TEST_P(SessionThreads, keep_messages_and_state_when_pruned) {
  put_chain("t", 3);
  append("t", {"a"});
  put_state(scope, "k", "1");
  prune({"t"});
  EXPECT_EQ(ids_of("t"), Strings{"3"});
  EXPECT_EQ(message_ids("t"), Strings{"a"});
  EXPECT_EQ(documents(scope), Strings{"k 1 1"});
  write(DeleteRuns{{"r"}});
  EXPECT_EQ(message_ids("t"), Strings{"a"});
}

TEST_P(SessionThreads, may_be_written_in_one_group) {
  const auto outcomes = store()->write_all(
      {AppendMessages{"t", "", {new_message("a")}, {}, "", {}},
       AppendMessages{"t", "", {{"a", "user", "7", "{}"}}, {}, "", {}},
       AppendMessages{"t", "", {new_message("b")}, {}, "", 1}, PopMessages{"t", "", 1, "op"},
       CopyThread{"t", "u"}, AppendMessages{"u", "", {new_message("c")}, {}, "", {}}},
      Call{});
  Strings codes;
  for (const auto& outcome : outcomes) {
    codes.emplace_back(outcome.error ? to_string(outcome.error->code()) : "ok");
  }
  EXPECT_EQ(codes, (Strings{"ok", "conflict", "ok", "ok", "ok", "ok"}));
  EXPECT_EQ(places(outcomes[3].written.messages), Strings{"b@2"});
  EXPECT_EQ(message_ids("t"), Strings{"a"});
  EXPECT_EQ(places(all_messages(of_stream("u"))), (Strings{"a@1", "c@3"}));
}

TEST_P(SessionThreads, past_the_deadline_of_a_call_do_nothing) {
  const Call late{Deadline::after(-std::chrono::seconds(1)), {}};
  const auto expect_late = [&](auto run) { expect_error(Code::timeout, "", run); };
  expect_late([&] {
    access().write(AppendMessages{"t", "", {new_message("a")}, {}, "", {}}, late);
  });
  expect_late([&] { access().write(ChangeState{scope, {}}, late); });
  expect_late([&] { access().messages(of_stream("t"), late); });
  expect_late([&] { access().tail({"t", "", 1, {}}, late); });
  expect_late([&] { access().message({"t", "a"}, late); });
  expect_late([&] { access().count(of_stream("t"), late); });
  expect_late([&] { access().state({scope, "k"}, late); });
  expect_late([&] { access().states({scope, 100, 100, ""}, late); });
  expect_late([&] { access().thread({"t"}, late); });
  expect_late([&] { store()->streams({"t"}, late); });
  EXPECT_EQ(thread_ids(), Strings{});
}

// Where a backend keeps no list of the named scopes, it does not count their documents.
std::string counted(const StoreStats& stats) {
  std::string text;
  for (const EntityStats& entity : stats.entities) {
    if (entity.name == "named_states") {
      EXPECT_EQ(entity.rows, 1U);
    } else {
      text += entity.name + " " + std::to_string(entity.rows) + " ";
    }
  }
  return text;
}

TEST_P(SessionThreads, are_counted_with_their_streams_and_documents) {
  put(Draft("large", "1").value("a", "1", "x"));
  append("large", {"1", "2", "3"});
  write(AppendMessages{"large", "notes", {new_message("4")}, {}, "operation", {}});
  write(AppendMessages{"large", "gone", {new_message("5")}, {}, {}, {}});
  write(ClearMessages{"large", "gone"});
  put_state(StateScope::of_thread("large"), "k", "\"" + std::string(50'000, 'x') + "\"");
  put_state(StateScope::of_thread("small"), "k", "1");
  put_state(StateScope::named("n"), "k", "1");
  std::optional<StoreStats> stats;
  try {
    stats = store()->stats({.largest = 2, .exact = true}, Call{});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::unsupported) << error.what();
    return;
  }
  EXPECT_EQ(counted(*stats),
            "threads 2 checkpoints 1 blobs 1 writes 0 messages 4 streams 3 states 2 ");
  ASSERT_EQ(stats->largest.size(), 2U);
  EXPECT_EQ(stats->largest[0].thread_id, "large");
  EXPECT_EQ(stats->largest[0].checkpoints, 1U);
}

}  // namespace

}  // namespace threadkeep::testing
