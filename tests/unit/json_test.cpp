// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "threadkeep/backend_support.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep {
namespace {

struct Pair {
  std::string a;
  std::string b;
  bool equal;
};

class JsonEqual : public ::testing::TestWithParam<Pair> {};

TEST_P(JsonEqual, compares_by_value) {
  const auto& [a, b, equal] = GetParam();
  EXPECT_EQ(json_equal(a, b), equal) << a << " and " << b;
  EXPECT_EQ(json_equal(b, a), equal) << b << " and " << a;
}

INSTANTIATE_TEST_SUITE_P(
    , JsonEqual,
    ::testing::Values(
        Pair{"1", "1", true}, Pair{"1", "1.0", true}, Pair{"1", "1e0", true},
        Pair{"100", "1e2", true}, Pair{"0", "-0", true}, Pair{"0", "-0.0", true},
        Pair{"1", "2", false}, Pair{"1", "true", false}, Pair{"0", "false", false},
        Pair{"null", "false", false}, Pair{"null", "0", false}, Pair{"\"1\"", "1", false},
        Pair{"1.5", "1.50", true}, Pair{"0.1", "0.10000000000000001", true},
        Pair{"9007199254740993", "9007199254740992", false},
        Pair{"9007199254740993", "9007199254740992.0", false},
        Pair{"18446744073709551615", "18446744073709551615", true},
        Pair{"18446744073709551615", "-1", false},
        Pair{"18446744073709551615", "1.8446744073709552e19", false},
        Pair{"-9223372036854775808", "-9223372036854775808.0", true},
        Pair{"\"a\"", "\"\\u0061\"", true}, Pair{"\"\u00e9\"", "\"e\u0301\"", false},
        Pair{"\"A\"", "\"a\"", false}, Pair{"[1,2]", "[ 1 , 2.0 ]", true},
        Pair{"[1,2]", "[2,1]", false}, Pair{"[1]", "[1,1]", false}, Pair{"[]", "{}", false},
        Pair{"[]", "null", false}, Pair{R"({"a":1,"b":2})", R"({"b":2,"a":1})", true},
        Pair{R"({"a":1})", R"({"a":1,"b":2})", false}, Pair{R"({"a":1})", R"({"b":1})", false},
        Pair{R"({"a":1,"a":2})", R"({"a":2})", true},
        Pair{R"({"a":{"b":[1,{}]}})", R"({"a":{"b":[1.0,{}]}})", true},
        Pair{R"({"a":null})", "{}", false}, Pair{R"({"1":1})", R"({"1.0":1})", false}));

struct Match {
  std::vector<MetadataEquals> conditions;
  std::string metadata;
  bool matches;
};

class Filter : public ::testing::TestWithParam<Match> {};

TEST_P(Filter, matches_by_value) {
  const auto& [conditions, metadata, matches] = GetParam();
  const MetadataFilter filter(conditions);
  EXPECT_EQ(filter.empty(), conditions.empty());
  EXPECT_EQ(filter.matches(metadata), matches) << metadata;
}

INSTANTIATE_TEST_SUITE_P(
    , Filter,
    ::testing::Values(
        Match{{}, "{}", true}, Match{{{"a", "1"}}, R"({"a": 1})", true},
        Match{{{"a", "1"}}, R"({"a": 1.0, "b": 2})", true}, Match{{{"a", "1"}}, "{}", false},
        Match{{{"a", "null"}}, "{}", false}, Match{{{"a", "null"}}, R"({"a": null})", true},
        Match{{{"a", "1"}}, R"({"a": true})", false}, Match{{{"a", "true"}}, R"({"a": 1})", false},
        Match{{{"a", "1"}}, R"({"b": {"a": 1}})", false},
        Match{{{"a", "1"}, {"b", "2"}}, R"({"a": 1})", false},
        Match{{{"a", "1"}, {"b", "2"}}, R"({"b": 2, "a": 1})", true},
        Match{{{"a", "1"}, {"a", "2"}}, R"({"a": 1})", false},
        Match{{{"a", R"({"x": 1})"}}, R"({"a": {"x": 1, "y": 2}})", false},
        Match{{{"a", R"({"y": 2, "x": 1})"}}, R"({"a": {"x": 1, "y": 2}})", true},
        Match{{{"a.b", "1"}}, R"({"a": {"b": 1}})", false},
        Match{{{"a.b", "1"}}, R"({"a.b": 1})", true}, Match{{{"a", "1"}}, R"({"\u0061": 1})", true},
        Match{{{"a", "2"}}, R"({"a": 1, "a": 2})", true},
        Match{{{"a", "1"}}, R"({"a": 1, "a": 2})", false}, Match{{{"", "1"}}, R"({"": 1})", true},
        Match{{{"a", "\"}\""}}, R"({"b": "{\"a\": 1}", "a": "}"})", true},
        Match{{{"a", "[]"}}, R"({"a": [  ]})", true}));

TEST(FilterItself, must_be_json) {
  for (const std::string value : {"", "x", "{", "1 2", "NaN", "\"\\ud800\""}) {
    EXPECT_THROW(MetadataFilter({{"a", value}}), Error) << value;
  }
}

}  // namespace
}  // namespace threadkeep
