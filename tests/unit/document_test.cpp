// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "json.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/mutation.hpp"

namespace threadkeep {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using Strings = std::vector<std::string>;

TEST(Document, has_versions_and_inline_values) {
  const auto channels = read_document(
      R"({"v": 4, "channel_versions": {"b": "2", "a": 1, "c\n": 1.50, "d": "\u00e9{"},
          "channel_values": {"b": [1, {"x": "}"}], "a": null, "e": "s"}, "x": {"channel_versions": 1}})");
  EXPECT_EQ(channels.versions, (Pairs{{"b", "2"}, {"a", "1"}, {"c\n", "1.50"}, {"d", "\u00e9{"}}));
  EXPECT_EQ(channels.inline_values,
            (Pairs{{"b", R"([1, {"x": "}"}])"}, {"a", "null"}, {"e", "\"s\""}}));
}

TEST(Document, may_lack_both) {
  for (const std::string text : {"{}", " { } ", R"({"channel_versions": {}})",
                                 R"({"channel_versions": null, "channel_values": []})"}) {
    EXPECT_EQ(read_document(text).versions, Pairs{}) << text;
    EXPECT_EQ(read_document(text).inline_values, Pairs{}) << text;
  }
}

TEST(Document, counts_the_last_of_duplicates) {
  const auto channels = read_document(
      R"({"channel_versions": {"a": "1"}, "channel_versions": {"a": "2", "b": "1", "a": "3"}})");
  EXPECT_EQ(channels.versions, (Pairs{{"a", "3"}, {"b", "1"}}));
}

TEST(Document, that_is_no_object_is_corrupt) {
  for (const std::string text : {"", "[]", "1", "null", "{", "{\"a\"", "{\"a\": ", "{\"a\": \"",
                                 "{\"channel_versions\": {\"a\": \"1\"}", "{}}"}) {
    try {
      read_document(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::corrupt) << text;
    }
  }
}

TEST(Metadata, names_delta_channels) {
  EXPECT_EQ(delta_channels("{}"), Strings{});
  EXPECT_EQ(delta_channels(R"({"counters_since_delta_snapshot": {"a": [1, 2], "b": [0, 0]}})"),
            (Strings{"a", "b"}));
  EXPECT_EQ(delta_channels(R"({"x": {"counters_since_delta_snapshot": {"a": 1}}})"), Strings{});
  EXPECT_EQ(delta_channels(R"({"counters_since_delta_snapshot": null})"), Strings{});
  EXPECT_EQ(delta_channels(R"({"x": "counters_since_delta_snapshot"})"), Strings{});
}

TEST(Metadata, may_have_a_run_id) {
  EXPECT_EQ(run_id(R"({"run_id": "r\u00e9"})"), "r\u00e9");
  EXPECT_EQ(run_id("{}"), std::nullopt);
  EXPECT_EQ(run_id(R"({"run_id": 1})"), std::nullopt);
  EXPECT_EQ(run_id(R"({"run_id": null})"), std::nullopt);
  EXPECT_EQ(run_id(R"({"x": {"run_id": "r"}})"), std::nullopt);
  EXPECT_EQ(run_id(R"({"run_id": "a", "run_id": "b"})"), "b");
}

TEST(StripNul, leaves_the_rest_byte_for_byte) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {R"({})", R"({})"},
      {R"({"a": "x\u0000y"})", R"({"a": "xy"})"},
      {R"({"a\u0000b": ["\u0000", "\\u0000", "\\\u0000"]})", R"({"ab": ["", "\\u0000", "\\"]})"},
      {R"({"a": "\u00001\u0001"})", R"({"a": "1\u0001"})"},
      {R"({"a":  "é" })", R"({"a":  "é" })"}};
  for (const auto& [text, stripped] : rows) EXPECT_EQ(strip_nul(text), stripped);
}

TEST(StripNul, takes_what_is_not_json) {
  for (const std::string text :
       {"", "\\", "\"\\", "\"\\u", "\"\\u000", "\\u0000", "{\"a\": \"\\u0000"}) {
    EXPECT_LE(strip_nul(text).size(), text.size()) << text;
  }
}

TEST(CheckJson, names_the_place) {
  const std::vector<std::pair<std::string, std::string>> rows{
      {R"({"a": [1, {"b": NaN}]})", "f.a[1].b"},
      {R"({"a": {"x": 1}, "b": Infinity})", "f.b"},
      {R"({"a": "\ud800"})", "f.a"},
      {R"({"a": [[], [0, -Infinity]]})", "f.a[1][1]"},
      {R"({"a": "\u0000"})", "f.a"},
      {R"({"a": 1e400})", "f.a"}};
  for (const auto& [text, place] : rows) {
    try {
      check_json_object("f", text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument);
      EXPECT_TRUE(error.message().starts_with(place + " ")) << error.message();
    }
  }
}

TEST(PlainJson, is_what_documents_are_made_of) {
  for (const std::string& text : Strings{
           R"({"v":4,"id":"1ef","channel_values":{},"updated_channels":null})",
           R"([true,false,null])", R"( { "a" : [ 1 , -2.5 , 0 , 0.25 , 123456789012345678 ] } )",
           R"("\"\\\/\b\f\n\r\t")", "\"\x7f\u00e4\u2028\"", "[]", "{}", "\n0\t"}) {
    EXPECT_TRUE(is_plain_json(text)) << text;
    EXPECT_NO_THROW(check_json("f", text)) << text;
  }
}

TEST(PlainJson, leaves_out_what_the_parser_has_to_look_at) {
  const std::string deep = std::string(33, '[') + std::string(33, ']');
  for (const std::string& text : Strings{R"("\u00e4")", "1e5", "1234567890123456789", deep}) {
    EXPECT_FALSE(is_plain_json(text)) << text;
    EXPECT_NO_THROW(check_json("f", text)) << text;
  }
}

// Every prefix of a text, and the text with each byte replaced by those that mean something.
TEST(PlainJson, is_always_json) {
  using namespace std::string_literals;
  const std::string text =
      "{\"a\":[1,-0.5,{\"b\":\"x\\n\\\"\"}],\"c\":\"\u00e4\" ,\"d\":null,\"e\":true}";
  ASSERT_TRUE(is_plain_json(text));
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::vector<std::string> changed{text.substr(0, i)};
    for (const char c : "\0\x1f\xff\xc3 ,:[]{}\"\\e-.0u"s) {
      changed.push_back(text);
      changed.back()[i] = c;
    }
    for (const std::string& candidate : changed) {
      if (!is_plain_json(candidate)) continue;
      ++plain;
      EXPECT_TRUE(nlohmann::json::accept(candidate)) << candidate;
    }
  }
  EXPECT_GT(plain, text.size());
}

TEST(CheckJson, bounds_the_depth) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(check_json("f", nested(max_json_depth)));
  EXPECT_THROW(check_json("f", nested(max_json_depth + 1)), Error);
  EXPECT_THROW(check_json("f", std::string(1'000'000, '[')), Error);
}

TEST(MutationOf, each_kind_has_a_name_a_lane_and_a_weight) {
  PutCheckpoint put;
  put.thread_id = "t";
  put.document = "{}";
  put.blobs = {{"a", "1", "text", Bytes(std::string(1000, 'x'))}};
  AppendMessages append{"t", "", {{"a", "user", std::string(1000, '1'), "{}"}}, {}, "", {}};
  const std::vector<std::tuple<Mutation, std::string, std::string>> rows{
      {put, "put", "t"},
      {PutWrites{"t", "", "1", {}}, "put_writes", "t"},
      {PutThread{"t", "{}"}, "put_thread", "t"},
      {DeleteThread{"t"}, "delete_thread", "t"},
      {DeleteRuns{{"r"}}, "delete_runs", ""},
      {CopyThread{"t", "u"}, "copy_thread", ""},
      {Prune{"t"}, "prune", "t"},
      {append, "append", "t"},
      {UpdateMessage{"t", "a", {}, {}, {}}, "update_message", "t"},
      {RemoveMessages{"t", {}}, "remove_messages", "t"},
      {PopMessages{"t", "", 1, ""}, "pop_messages", "t"},
      {ClearMessages{"t", {}}, "clear_messages", "t"},
      {ChangeState{StateScope::of_thread("t"), {}}, "change_state", "t"},
      {ChangeState{StateScope::named("n"), {}}, "change_state", "n"}};
  static_assert(std::variant_size_v<Mutation> == 13, "add the new kind above");
  for (const auto& [mutation, name, its_lane] : rows) {
    EXPECT_EQ(operation_name(mutation), name);
    EXPECT_EQ(lane(mutation), its_lane);
    EXPECT_EQ(is_session(mutation), mutation.index() > Mutation(Prune{}).index());
  }
  EXPECT_GE(weight(put), 1000U);
  EXPECT_LT(weight(put), 1500U);
  EXPECT_GE(weight(append), 1000U);
  EXPECT_GE(weight(PutWrites{"t", "", "1", {{"task", 0, "a", "", "text", put.blobs[0].data}}}),
            1000U);
}

}  // namespace
}  // namespace threadkeep
