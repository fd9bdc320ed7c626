// SPDX-License-Identifier: Apache-2.0
// What people see: text that cannot harm a terminal, tables, values.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "printable.hpp"
#include "table.hpp"
#include "terminal.hpp"
#include "value_text.hpp"

namespace threadkeep::cli {
namespace {

using Json = nlohmann::json;

std::string msgpack(const Json& value) {
  const auto bytes = Json::to_msgpack(value);
  return {bytes.begin(), bytes.end()};
}

// An object as LangGraph's serializer writes it.
Json extension(const std::string& name, const Json& contents) {
  return Json::binary(Json::to_msgpack(Json::array({"a.module", name, contents, "method"})), 5);
}

TEST(Printable, keeps_the_text_of_people) {
  for (const std::string text : {"", "hello", "héllo", "日本語", "👋🏽", "a\\x1b"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, escapes_what_moves_a_terminal) {
  EXPECT_EQ(printable("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(printable("one\ntwo\tthree\r"), "one\\ntwo\\tthree\\x0d");
  EXPECT_EQ(printable("\x7f"), "\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b") << "a control character of eight bits";
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae") << "writes from right to left";
  EXPECT_EQ(printable(std::string("\0", 1)), "\\x00");
}

TEST(Printable, escapes_what_is_not_UTF8) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc3"), "\\xc3") << "cut";
  EXPECT_EQ(printable("\xc3z"), "\\xc3z");
  EXPECT_EQ(printable("\xc0\x80"), "\\xc0\\x80") << "longer than needed";
  EXPECT_EQ(printable("\xe0\x80\x80"), "\\xe0\\x80\\x80");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "half of a pair";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "too great";
}

TEST(Shortened, counts_columns_and_never_cuts_a_character) {
  prepare_terminal();
  EXPECT_EQ(columns("日本語"), 6U);
  EXPECT_EQ(shortened("hello", 5), "hello");
  EXPECT_EQ(shortened("hello", 4), "hel…");
  EXPECT_EQ(shortened("日本語", 6), "日本語");
  EXPECT_EQ(shortened("日本語", 5), "日本…");
  EXPECT_EQ(shortened("日本語", 4), "日…");
}

TEST(SizeText, has_a_unit_that_fits) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(12 * 1024 * 1024), "12.0 MiB");
}

TEST(TableOf, rows_is_aligned_and_cut_at_the_width) {
  prepare_terminal();
  Table table({"ID", "TEXT"});
  table.add({"日本", "a long text that is cut"});
  table.add({"b", "short\n"});
  std::ostringstream whole;
  table.print(whole, 0);
  EXPECT_EQ(whole.str(), "ID    TEXT\n日本  a long text that is cut\nb     short\\n\n");
  std::ostringstream cut;
  table.print(cut, 0);
  EXPECT_EQ(cut.str(), "") << "each row once";
  table.add({"日本", "a long text that is cut"});
  table.add({"longer", "short\n"});
  table.print(cut, 16);
  EXPECT_EQ(cut.str(), "日本  a long te…\nlonger  short\\n\n");
}

TEST(ValueText, shows_what_is_safe_to_decode) {
  EXPECT_EQ(value_text("json", R"({"a":[1,null,"x"]})", 100), R"({"a": [1, null, "x"]})");
  EXPECT_EQ(value_text("text", "hello\n", 100), "hello\\n");
  EXPECT_EQ(value_text("msgpack", msgpack({1, -2, 1.5, true, nullptr, {{"k", "v"}}}), 100),
            R"([1, -2, 1.5, true, null, {"k": "v"}])");
  EXPECT_EQ(value_text("msgpack", msgpack(Json::binary({1, 2, 3})), 100), "<3 B>");
}

TEST(ValueText, shows_objects_of_LangGraph_by_name) {
  const Json message = extension("AIMessage", {{"content", "hi"}, {"ids", {1, 2}}});
  EXPECT_EQ(value_text("msgpack", msgpack({message, 3}), 100),
            R"([AIMessage({"content": "hi", "ids": [1, 2]}), 3])");
  const Json nested = extension("Outer", {{"inner", extension("Inner", "x")}});
  EXPECT_EQ(value_text("msgpack", msgpack(nested), 100), R"(Outer({"inner": Inner("x")}))");
  EXPECT_EQ(value_text("msgpack", msgpack(Json::binary({0xC1}, 5)), 100), "<1 B>")
      << "an extension of another kind";
}

TEST(ValueText, shows_nothing_of_what_it_cannot_decode) {
  EXPECT_EQ(value_text("pickle", "\x80\x04.", 100), "");
  EXPECT_EQ(value_text("json", "{", 100), "");
  EXPECT_EQ(value_text("msgpack", "\xc1", 100), "");
  EXPECT_EQ(value_text("msgpack", "", 100), "");
  EXPECT_EQ(value_text("json", "1 2", 100), "");
}

TEST(ValueText, is_bounded_whatever_the_value) {
  EXPECT_LT(value_text("msgpack", msgpack(std::string(1'000'000, 'x')), 100).size(), 250U);
  EXPECT_LT(value_text("json", Json(std::vector<int>(100'000, 7)).dump(), 100).size(), 250U);
  const std::string deep(1'000'000, '\x91');  // arrays of one array each
  EXPECT_LT(value_text("msgpack", deep, 1000).size(), 1100U);
  EXPECT_LT(value_text("json", std::string(1'000'000, '['), 1000).size(), 1100U);
}

TEST(ValueText, is_bounded_for_objects_in_objects) {
  Json deep = "x";
  for (int i = 0; i < 2000; ++i) deep = extension("Level", deep);
  EXPECT_LT(value_text("msgpack", msgpack(deep), 1000).size(), 1200U);
}

}  // namespace
}  // namespace threadkeep::cli
