// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <thread>

#include "sessions/cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/session_conformance.hpp"

namespace threadkeep::testing {

void keep_states_cases() {}

namespace {

using Strings = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;
using Kind = StateChange::Kind;

const auto thread_scope = StateScope::of_thread("t");
const auto user_scope = StateScope::named("t");  // Of the same name, and another scope.

TEST_P(States, keep_any_json_as_it_was_given) {
  for (const auto* value : {"{ \"b\": 1.0, \"a\": null }", "[]", "1", "\"x\"", "null", "true"}) {
    put_state(thread_scope, "k", value);
    EXPECT_EQ(state(thread_scope, "k")->value, value);
  }
  EXPECT_EQ(state(thread_scope, "k")->version, 6);
  EXPECT_FALSE(state(thread_scope, "other"));
  EXPECT_FALSE(state(StateScope::of_thread("nobody"), "k"));
}

TEST_P(States, return_their_versions) {
  const auto first = put_state(thread_scope, "k", "1");
  EXPECT_EQ(first.changed, 1U);
  EXPECT_EQ(first.versions, Numbers{1});
  EXPECT_EQ(first.revision, 1);
  EXPECT_EQ(put_state(thread_scope, "k", "2").versions, Numbers{2});
  const auto same = put_state(thread_scope, "k", " 2.0 ");
  EXPECT_EQ(same.changed, 0U);
  EXPECT_EQ(same.kept, 1U);
  EXPECT_EQ(same.versions, Numbers{2});
  EXPECT_EQ(same.revision, 2);
}

TEST_P(States, of_a_thread_and_of_a_name_are_not_the_same) {
  put_state(thread_scope, "k", "1");
  EXPECT_FALSE(state(user_scope, "k"));
  EXPECT_EQ(put_state(user_scope, "k", "2").revision, 0);
  EXPECT_EQ(state(thread_scope, "k")->value, "1");
  EXPECT_EQ(state(user_scope, "k")->value, "2");
  put_state(StateScope::named("user:7"), "k", "3");
  EXPECT_EQ(thread_ids(), Strings{"t"});
}

TEST_P(States, may_demand_a_version) {
  expect_error(Code::conflict, "version 0", [&] { put_state(thread_scope, "k", "1", 1); });
  EXPECT_EQ(put_state(thread_scope, "k", "1", 0).versions, Numbers{1});
  EXPECT_EQ(put_state(thread_scope, "k", "2", 1).versions, Numbers{2});
  expect_error(Code::conflict, "version 2", [&] { put_state(thread_scope, "k", "3", 1); });
  expect_error(Code::conflict, "version 2", [&] { put_state(thread_scope, "k", "3", 0); });
  EXPECT_EQ(state(thread_scope, "k")->value, "2");
  expect_error(Code::invalid_argument, "expected_version",
               [&] { put_state(thread_scope, "k", "3", -1); });
}

// Two that count on from the same version put the same value, and only one of them may have
// counted.
TEST_P(States, that_demand_a_version_are_conflicts_also_where_the_value_is_equal) {
  for (const auto& scope : {thread_scope, user_scope}) {
    put_state(scope, "k", "1", 0);
    expect_error(Code::conflict, "version 1", [&] { put_state(scope, "k", "1", 0); });
    put_state(scope, "k", R"({"n": 2})", 1);
    expect_error(Code::conflict, "version 2", [&] { put_state(scope, "k", R"({"n": 2})", 1); });
    expect_error(Code::conflict, "version 2", [&] { put_state(scope, "k", R"({"n":2})", 1); });
    EXPECT_EQ(put_state(scope, "k", R"({"n":2})", 2).kept, 1U);
    merge_state(scope, "m", R"({"a": 1})", 0);
    expect_error(Code::conflict, "version 1", [&] { merge_state(scope, "m", R"({"a": 1})", 0); });
    delete_state(scope, "m", 1);
    EXPECT_EQ(delete_state(scope, "m", 1).kept, 1U);
  }
}

TEST_P(States, are_merged_as_rfc_7396_says) {
  const auto merged = [&](const std::string& value, const std::string& patch) {
    put_state(thread_scope, "k", value);
    merge_state(thread_scope, "k", patch);
    return state(thread_scope, "k")->value;
  };
  const auto expect = [&](const char* value, const char* patch, const char* result) {
    SCOPED_TRACE(std::string(value) + " with " + patch);
    EXPECT_PRED2(json_equal, merged(value, patch), result);
  };
  expect(R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})");
  expect(R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})");
  expect(R"({"a":"b"})", R"({"a":null})", "{}");
  expect(R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})");
  expect(R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})");
  expect(R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})");
  expect(R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})");
  expect(R"(["a","b"])", R"(["c","d"])", R"(["c","d"])");
  expect(R"({"a":"b"})", R"(["c"])", R"(["c"])");
  expect(R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})");
  expect(R"([1,2])", R"( {"a":"b","c":null} )", R"({"a":"b"})");
  expect("{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})");
  expect(R"({"a":1})", "null", "null");
  expect(R"({"a":1,"a":{"b":1}})", R"({"a":{"x":1},"a":{"c":1}})", R"({"a":{"b":1,"c":1}})");
}

TEST_P(States, are_merged_without_touching_the_rest) {
  put_state(thread_scope, "k", R"({"big": 123456789012345678901234567890, "a": 1.0})");
  merge_state(thread_scope, "k", R"({"b": {"c": 1, "d": null}})");
  const auto value = state(thread_scope, "k")->value;
  EXPECT_NE(value.find("123456789012345678901234567890"), std::string::npos) << value;
  EXPECT_NE(value.find("1.0"), std::string::npos) << value;
  EXPECT_EQ(value.find("null"), std::string::npos) << value;
}

TEST_P(States, are_merged_into_nothing) {
  EXPECT_EQ(merge_state(thread_scope, "k", R"({"a": {"b": null}})").versions, Numbers{1});
  EXPECT_TRUE(json_equal(state(thread_scope, "k")->value, R"({"a": {}})"));
}

TEST_P(States, are_deleted) {
  put_state(thread_scope, "k", "1");
  put_state(thread_scope, "l", "1");
  const auto gone = delete_state(thread_scope, "k");
  EXPECT_EQ(gone.changed, 1U);
  EXPECT_EQ(gone.versions, Numbers{0});
  EXPECT_FALSE(state(thread_scope, "k"));
  EXPECT_EQ(delete_state(thread_scope, "k").kept, 1U);
  EXPECT_EQ(documents(thread_scope), Strings{"l 1 1"});
  expect_error(Code::conflict, "'l'", [&] { delete_state(thread_scope, "l", 2); });
  EXPECT_EQ(put_state(thread_scope, "k", "2", 0).versions, Numbers{1});
}

TEST_P(States, change_together_or_not_at_all) {
  write(ChangeState{
      thread_scope,
      {{"a", Kind::put, "1", {}}, {"b", Kind::put, "2", 0}, {"c", Kind::erase, "", {}}}});
  EXPECT_EQ(documents(thread_scope), (Strings{"a 1 1", "b 2 1"}));
  EXPECT_EQ(revision("t"), 1);
  expect_error(Code::conflict, "'b'", [&] {
    write(ChangeState{thread_scope, {{"a", Kind::put, "7", {}}, {"b", Kind::put, "7", 9}}});
  });
  EXPECT_EQ(documents(thread_scope), (Strings{"a 1 1", "b 2 1"}));
  expect_error(Code::invalid_argument, "twice", [&] {
    write(ChangeState{thread_scope, {{"a", Kind::put, "7", {}}, {"a", Kind::put, "8", {}}}});
  });
}

TEST_P(States, are_listed_by_key_in_pages) {
  for (const auto* key : {"\u00e9", "b", "Z", "a", "10", "9"}) put_state(user_scope, key, "1");
  StateList query;
  query.scope = user_scope;
  query.limit = 4;
  auto page = access().states(query, Call{});
  ASSERT_EQ(page.items.size(), 4U);
  EXPECT_EQ(page.items[0].key, "10");
  EXPECT_EQ(page.items[3].key, "a");
  query.cursor = page.next;
  delete_state(user_scope, "a");
  put_state(user_scope, "aa", "1");
  page = access().states(query, Call{});
  ASSERT_EQ(page.items.size(), 3U);
  EXPECT_EQ(page.items[0].key, "aa");
  EXPECT_EQ(page.items[2].key, "\u00e9");
  EXPECT_EQ(page.next, "");
  query.scope = thread_scope;
  expect_error(Code::invalid_argument, "cursor", [&] { access().states(query, Call{}); });
  query.cursor = "garbage";
  expect_error(Code::invalid_argument, "cursor", [&] { access().states(query, Call{}); });
}

TEST_P(States, are_not_lost_when_many_demand_versions) {
  constexpr int writers = 4;
  constexpr int each = 10;
  put_state(thread_scope, "n", "0");
  const auto run = [&](int writer) {
    for (int done = 0; done < each;) {
      const auto now = state(thread_scope, "n");
      try {
        put_state(thread_scope, "n", std::to_string(writer * 1000 + done), now->version);
        ++done;
      } catch (const Error& error) {
        ASSERT_EQ(error.code(), Code::conflict) << error.what();
      }
    }
  };
  std::vector<std::thread> threads;
  for (int writer = 1; writer <= writers; ++writer) threads.emplace_back(run, writer);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(state(thread_scope, "n")->version, 1 + writers * each);
}

TEST_P(States, are_checked) {
  expect_error(Code::invalid_argument, "scope", [&] { put_state({}, "k", "1"); });
  expect_error(Code::invalid_argument, "scope", [&] { put_state({"t", "u"}, "k", "1"); });
  expect_error(Code::invalid_argument, "state key", [&] { put_state(thread_scope, "", "1"); });
  expect_error(Code::invalid_argument, "'k'", [&] { put_state(thread_scope, "k", "{"); });
  expect_error(Code::invalid_argument, "scope", [&] { state({}, "k"); });
  EXPECT_EQ(thread_ids(), Strings{});
}

}  // namespace

}  // namespace threadkeep::testing
