// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cases.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/testing/conformance.hpp"

namespace threadkeep::testing {

void keep_json_cases() {}

namespace {

using Strings = std::vector<std::string>;

struct Refusal {
  std::string json;
  std::string_view path;  // Follows the name of the field.
};

// What no document and no metadata may hold, and where it stands.
const std::vector<Refusal>& refusals() {
  static const std::vector<Refusal> refusals{{R"({"a": NaN})", ".a"},
                                             {R"({"a": {"b": [0, Infinity]}})", ".a.b[1]"},
                                             {R"({"a": [[], {"b": -Infinity}]})", ".a[1].b"},
                                             {R"({"first": {"x": 1}, "second": 1e999})", ".second"},
                                             {R"({"a": {"b": "\ud800"}})", ".a.b"},
                                             {R"({"a": ["\udc00 first"]})", ".a[0]"},
                                             {R"({"a": "\ud83d\u0041"})", ".a"},
                                             {R"({"a": {"b": 1})", ""},
                                             {R"({"a": 1} {})", ""},
                                             {"{\"a\": \"\xff\"}", ".a"},
                                             {R"({'a': 1})", ""},
                                             {std::string("{}\0", 3), ""},
                                             {std::string("{\"a\": \"\0\"}", 10), ""},
                                             {"", ""},
                                             {"[]", ""},
                                             {"1", ""},
                                             {"null", ""},
                                             {"\"text\"", ""},
                                             {R"([{"a": 1}])", ""}};
  return refusals;
}

std::string nested(int depth) {
  std::string text = R"({"a": )";
  for (int i = 1; i < depth; ++i) text += "[";
  for (int i = 1; i < depth; ++i) text += "]";
  return text + "}";
}

TEST_P(Json, that_cannot_be_stored_is_refused_in_metadata) {
  for (const auto& [json, path] : refusals()) {
    SCOPED_TRACE(json);
    const auto field = "metadata" + std::string(path);
    expect_error(Code::invalid_argument, field, [&] { put(Draft("t", "1").metadata(json)); });
    expect_error(Code::invalid_argument, field, [&] { write(PutThread{"t", json}); });
  }
  EXPECT_EQ(thread_ids(), Strings{});
}

TEST_P(Json, that_cannot_be_stored_is_refused_in_documents) {
  for (const auto& [json, path] : refusals()) {
    SCOPED_TRACE(json);
    PutCheckpoint checkpoint = Draft("t", "1");
    checkpoint.document = json;
    expect_error(Code::invalid_argument, "document" + std::string(path), [&] { put(checkpoint); });
  }
  EXPECT_EQ(thread_ids(), Strings{});
}

TEST_P(Json, refusals_do_not_quote_the_value) {
  try {
    put(Draft("t", "1").metadata(R"({"a": "secret" oops "secret"})"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(std::string_view(error.what()).find("secret"), std::string_view::npos)
        << error.what();
  }
}

TEST_P(Json, metadata_loses_nul_characters_at_every_depth) {
  put(Draft("t", "1").metadata(
      R"({"top": "a\u0000b", "deep": {"list": ["\u0000", {"x": "\u0000y"}]}, "k\u0000ey": 1})"));
  EXPECT_TRUE(json_equal(load("t").metadata,
                         R"({"top": "ab", "deep": {"list": ["", {"x": "y"}]}, "key": 1})"))
      << load("t").metadata;
  write(PutThread{"t", R"({"user": "\u0000u\\u0000"})"});
  EXPECT_TRUE(json_equal(thread("t")->metadata, R"({"user": "u\\u0000"})"))
      << thread("t")->metadata;
}

TEST_P(Json, metadata_is_filtered_as_it_was_stored) {
  put(Draft("t", "1").metadata(R"({"user": "a\u0000b"})"));
  auto query = of_thread("t");
  query.filter = {{"user", "\"ab\""}};
  EXPECT_EQ(ids(query), Strings{"1"});
}

TEST_P(Json, documents_must_not_hold_nul_characters) {
  PutCheckpoint checkpoint = Draft("t", "1");
  checkpoint.document = R"({"channel_versions": {}, "channel_values": {"a": {"b": "x\u0000"}}})";
  expect_error(Code::invalid_argument, "document.channel_values.a.b", [&] { put(checkpoint); });
  EXPECT_FALSE(get("t"));
}

TEST_P(Json, versions_are_strings_or_numbers) {
  for (const auto* version : {"{}", "[1]", "null", "true"}) {
    PutCheckpoint checkpoint = Draft("t", "1");
    checkpoint.document = std::string(R"({"channel_versions": {"a": )") + version + "}}";
    expect_error(Code::invalid_argument, "channel_versions.a", [&] { put(checkpoint); });
  }
}

TEST_P(Json, versions_that_are_numbers_have_one_spelling) {
  for (const auto* version : {"1e3", "1E3", "1.5e-7", "-0", "-0.0", "-0.00"}) {
    PutCheckpoint checkpoint = Draft("t", "1");
    checkpoint.document = std::string(R"({"channel_versions": {"a": )") + version + "}}";
    expect_error(Code::invalid_argument, "channel_versions.a", [&] { put(checkpoint); });
  }
  for (const std::string version : {"0", "0.0", "1000", "-7", "1.50", "-0.05",
                                    "12345678901234567890", "1000000000000000000000000000001"}) {
    PutCheckpoint checkpoint = Draft("t" + version, "1");
    checkpoint.document = R"({"channel_versions": {"a": )" + version + "}}";
    checkpoint.blobs = {{"a", version, "text", Bytes::copy("x")}};
    put(checkpoint);
    EXPECT_EQ(value_of(load("t" + version), "a"), "x") << version;
  }
  for (const std::string version : {"1e3", "-0"}) {
    PutCheckpoint checkpoint = Draft("text" + version, "1");
    checkpoint.document = R"({"channel_versions": {"a": ")" + version + "\"}}";
    checkpoint.blobs = {{"a", version, "text", Bytes::copy("x")}};
    put(checkpoint);
    EXPECT_EQ(value_of(load("text" + version), "a"), "x") << version;
  }
}

TEST_P(Json, may_be_nested_but_not_endlessly) {
  put(Draft("t", "1").metadata(nested(100)));
  EXPECT_TRUE(json_equal(load("t").metadata, nested(100)));
  expect_error(Code::invalid_argument, "metadata",
               [&] { put(Draft("t", "1").metadata(nested(100'000))); });
}

TEST_P(Json, keeps_all_of_unicode) {
  const std::string text = "\"\\u00e9 é \\ud83d\\ude00 😀 \\\\ \\/ \\b\\f\\n\\r\\t \u2028 \uFFFF\"";
  const auto metadata = "{" + text + ": " + text + "}";
  put(Draft("t", "1").metadata(metadata));
  EXPECT_TRUE(json_equal(load("t").metadata, metadata)) << load("t").metadata;
}

TEST_P(Json, takes_the_last_of_duplicate_keys) {
  put(Draft("t", "1").metadata(R"({"k": 1, "k": 2})"));
  EXPECT_TRUE(json_equal(load("t").metadata, R"({"k": 2})")) << load("t").metadata;
  auto query = of_thread("t");
  query.filter = {{"k", "2"}};
  EXPECT_EQ(ids(query), Strings{"1"});
  query.filter = {{"k", "1"}};
  EXPECT_EQ(ids(query), Strings{});
}

TEST_P(Json, keys_are_the_same_however_they_are_spelled) {
  put(Draft("t", "1").metadata(R"({"\u006b\u0065y": "v", "run\u005fid": "r"})"));
  auto query = of_thread("t");
  query.filter = {{"key", R"("\u0076")"}};
  EXPECT_EQ(ids(query), Strings{"1"});
  EXPECT_EQ(write(DeleteRuns{{"r"}}).changed, 1U);
}

TEST_P(Json, takes_spaces_of_any_kind) {
  PutCheckpoint checkpoint = Draft("t", "1").metadata("\n{ \"a\"\t:\r\n[ 1 , 2 ] }  ");
  checkpoint.document = "  {\"channel_versions\" : { \"a\" : \"1\" } , \"channel_values\":{} }\n";
  checkpoint.blobs = {{"a", "1", "text", Bytes::copy("x")}};
  put(checkpoint);
  EXPECT_EQ(value_of(load("t"), "a"), "x");
  EXPECT_TRUE(json_equal(load("t").metadata, R"({"a": [1, 2]})"));
}

TEST_P(Json, documents_need_no_member_at_all) {
  PutCheckpoint checkpoint = Draft("t", "1");
  checkpoint.document = "{}";
  checkpoint.blobs = {{"a", "1", "text", Bytes::copy("x")}};
  put(checkpoint);
  EXPECT_TRUE(json_equal(load("t").document, "{}"));
  EXPECT_EQ(load("t").values, std::vector<Blob>{});
}

}  // namespace

}  // namespace threadkeep::testing
