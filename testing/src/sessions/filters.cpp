// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "random_session.hpp"
#include "sessions/cases.hpp"
#include "threadkeep/session_support.hpp"
#include "threadkeep/testing/session_conformance.hpp"

namespace threadkeep::testing {

void keep_filters_cases() {}

namespace {

using Strings = std::vector<std::string>;

// Messages whose metadata has the member x with this value; "" has none.
class Values {
 public:
  explicit Values(std::vector<std::pair<std::string, std::string>> values)
      : values_(std::move(values)) {}

  AppendMessages append() const {
    AppendMessages append;
    append.thread_id = "t";
    for (const auto& [id, value] : values_) {
      const std::string metadata = value.empty() ? "{}" : "{\"x\": " + value + "}";
      append.messages.push_back(new_message(id, "user", metadata));
    }
    return append;
  }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

const Values typical({{"missing", ""},
                      {"null", "null"},
                      {"true", "true"},
                      {"one", "1"},
                      {"two", "2.0"},
                      {"text", "\"1\""},
                      {"array", "[1, \"a\", null]"},
                      {"object", "{\"y\": 1}"}});

const Filter::Path x{"metadata", "x"};

class Where {
 public:
  explicit Where(Access& access) : access_(access) {}

  Strings operator()(Filter filter) const {
    auto query = of_stream("t");
    query.filter = std::move(filter);
    Strings ids;
    const auto page = access_.messages(query, Call{});
    for (const auto& message : page.items) ids.push_back(message.id);
    EXPECT_EQ(access_.count(query, Call{}), ids.size());
    return ids;
  }

 private:
  Access& access_;
};

TEST_P(Filters, compare_equal_by_value_and_type) {
  write(typical.append());
  const Where where(access());
  EXPECT_EQ(where(Filter::eq(x, "1.0")), Strings{"one"});
  EXPECT_EQ(where(Filter::eq(x, "\"1\"")), Strings{"text"});
  EXPECT_EQ(where(Filter::eq(x, "true")), Strings{"true"});
  EXPECT_EQ(where(Filter::eq(x, "null")), Strings{"null"});
  EXPECT_EQ(where(Filter::eq(x, R"([1.0,"a",null])")), Strings{"array"});
  EXPECT_EQ(where(Filter::eq(x, R"({"y": 1})")), Strings{"object"});
  EXPECT_EQ(where(Filter::in(x, {"2", "\"1\"", "7"})), (Strings{"two", "text"}));
  EXPECT_EQ(where(Filter::in(x, {})), Strings{});
}

TEST_P(Filters, are_false_on_a_missing_path) {
  write(typical.append());
  const Where where(access());
  EXPECT_EQ(where(Filter::ne(x, "1")), (Strings{"null", "true", "two", "text", "array", "object"}));
  EXPECT_EQ(where(Filter::negation(Filter::eq(x, "1"))),
            (Strings{"missing", "null", "true", "two", "text", "array", "object"}));
  EXPECT_EQ(where(Filter::negation(Filter::exists(x))), Strings{"missing"});
  EXPECT_EQ(where(Filter::exists({"metadata", "x", "y"})), Strings{"object"});
  EXPECT_EQ(where(Filter::exists({"metadata", "x", "0"})), Strings{}) << "arrays have no members";
}

TEST_P(Filters, order_numbers_and_texts_only) {
  write(typical.append());
  const Where where(access());
  EXPECT_EQ(where(Filter::gt(x, "1")), Strings{"two"});
  EXPECT_EQ(where(Filter::ge(x, "1")), (Strings{"one", "two"}));
  EXPECT_EQ(where(Filter::lt(x, "1.5")), Strings{"one"});
  EXPECT_EQ(where(Filter::le(x, "\"1\"")), Strings{"text"});
  EXPECT_EQ(where(Filter::ge(x, "true")), Strings{});
  EXPECT_EQ(where(Filter::ge(x, "null")), Strings{});
}

TEST_P(Filters, find_elements_of_arrays) {
  write(typical.append());
  const Where where(access());
  EXPECT_EQ(where(Filter::contains(x, "1.0")), Strings{"array"});
  EXPECT_EQ(where(Filter::contains(x, "null")), Strings{"array"});
  EXPECT_EQ(where(Filter::contains(x, "\"1\"")), Strings{});
}

TEST_P(Filters, join_by_and_or_not) {
  write(typical.append());
  const Where where(access());
  const auto one = Filter::eq(x, "1");
  const auto text = Filter::eq(x, "\"1\"");
  EXPECT_EQ(where(Filter::any_of({one, text})), (Strings{"one", "text"}));
  EXPECT_EQ(where(Filter::all_of({Filter::ge(x, "0"), Filter::negation(one)})), Strings{"two"});
  EXPECT_EQ(where(Filter::any_of({})), Strings{});
  EXPECT_EQ(where(Filter::all_of({})).size(), 8U);
}

TEST_P(Filters, look_at_the_role) {
  write(AppendMessages{"t",
                       "",
                       {new_message("a", "user"), new_message("b", "tool"), new_message("c", "")},
                       {},
                       "",
                       {}});
  const Where where(access());
  EXPECT_EQ(where(Filter::eq({"role"}, "\"tool\"")), Strings{"b"});
  EXPECT_EQ(where(Filter::in({"role"}, {"\"user\"", "\"\""})), (Strings{"a", "c"}));
  EXPECT_EQ(where(Filter::exists({"role"})).size(), 3U);
}

TEST_P(Filters, see_the_last_of_duplicate_members) {
  write(AppendMessages{"t", "", {new_message("a", "user", R"({"x": 1, "x": 2})")}, {}, "", {}});
  const Where where(access());
  EXPECT_EQ(where(Filter::eq(x, "2")), Strings{"a"});
  EXPECT_EQ(where(Filter::eq(x, "1")), Strings{});
}

TEST_P(Filters, are_refused_when_they_make_no_sense) {
  const Where where(access());
  Filter deep = Filter::exists(x);
  for (int i = 0; i < 40; ++i) deep = Filter::negation(std::move(deep));
  for (const auto& [bad, mention] : std::vector<std::pair<Filter, std::string>>{
           {Filter::eq({"content", "x"}, "1"), "unknown field 'content'"},
           {Filter::eq({}, "1"), "path"},
           {Filter::eq({"role", "x"}, "1"), "role"},
           {Filter::eq(x, "no json"), "filter value"},
           {deep, "nested"}}) {
    expect_error(Code::invalid_argument, mention, [&, &filter = bad] { where(filter); });
    expect_error(Code::invalid_argument, mention, [&, &filter = bad] {
      auto query = of_stream("t");
      query.filter = filter;
      access().count(query, Call{});
    });
  }
}

TEST_P(Filters, at_random_match_as_the_reference_does) {
  constexpr int messages = 60;
  constexpr int filters = 2000;
  std::mt19937_64 random(20261122);
  AppendMessages append;
  append.thread_id = "t";
  for (int i = 0; i < messages; ++i) {
    append.messages.push_back(
        new_message(std::to_string(i), random_role(random), random_metadata(random)));
  }
  write(append);
  const Where where(access());
  std::size_t matched = 0;
  for (int i = 0; i < filters; ++i) {
    const Filter filter = random_filter(random);
    const MessageFilter reference(filter);
    Strings expected;
    for (const auto& message : append.messages) {
      if (reference.matches(message.role, message.metadata)) expected.push_back(message.id);
    }
    matched += expected.size();
    ASSERT_EQ(where(filter), expected) << "filter " << i;
  }
  EXPECT_GT(matched, std::size_t{filters}) << "the filters match too little to mean anything";
}

TEST_P(Filters, walk_in_pages) {
  AppendMessages append;
  append.thread_id = "t";
  for (int i = 0; i < 20; ++i) {
    append.messages.push_back(
        new_message(std::to_string(i), "user", i % 3 == 0 ? R"({"x": 1})" : "{}"));
  }
  write(append);
  auto query = of_stream("t");
  query.filter = Filter::exists(x);
  query.limit = 2;
  EXPECT_EQ(message_ids(query), (Strings{"0", "3", "6", "9", "12", "15", "18"}));
  query.direction = Direction::backward;
  EXPECT_EQ(message_ids(query), (Strings{"18", "15", "12", "9", "6", "3", "0"}));
}

}  // namespace

}  // namespace threadkeep::testing
