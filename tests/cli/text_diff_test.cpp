// SPDX-License-Identifier: Apache-2.0
// How the difference of two values is shown.
#include "text_diff.hpp"

#include <gtest/gtest.h>

#include <random>

namespace threadkeep::cli {
namespace {

using Lines = std::vector<std::string>;

// "-a +b  c": the lines with their marks.
std::string shown(const Lines& before, const Lines& after) {
  std::string text;
  for (const auto& line : text_diff(before, after)) {
    const char* mark = line.kind == DiffLine::Kind::both     ? " "
                       : line.kind == DiffLine::Kind::before ? "-"
                                                             : "+";
    text += (text.empty() ? "" : " ") + (mark + line.text);
  }
  return text;
}

TEST(BrokenLines, leave_a_short_value_as_it_is) {
  EXPECT_EQ(broken_lines(R"({"a": [1, 2]})"), Lines{R"({"a": [1, 2]})"});
  EXPECT_EQ(broken_lines(""), Lines{""});
}

TEST(BrokenLines, have_one_for_each_member) {
  const std::string long_text(60, 'x');
  EXPECT_EQ(broken_lines(R"([AIMessage({"content": "a, \"b\" [c]", "n": [1, 2]}), ")" + long_text +
                         R"("])"),
            (Lines{"[", "  AIMessage({", R"(    "content": "a, \"b\" [c]",)", R"(    "n": [)",
                   "      1,", "      2", "    ]", "  }),", "  \"" + long_text + "\"", "]"}));
}

TEST(BrokenLines, keep_empty_brackets_together) {
  const std::string long_text(60, 'x');
  EXPECT_EQ(broken_lines(R"([{}, [], ")" + long_text + R"([]"])"),
            (Lines{"[", "  {},", "  [],", "  \"" + long_text + "[]\"", "]"}));
}

TEST(BrokenLines, hold_all_of_a_text_that_is_no_value) {
  const std::string text = "]]}} \"open" + std::string(100, ' ') + "[x";
  std::string all;
  for (const auto& line : broken_lines(text)) all += line;
  EXPECT_TRUE(all.find("\"open") != std::string::npos);
  EXPECT_TRUE(all.ends_with("[x"));
}

TEST(TextDiff, shows_what_changed_and_a_line_around_it) {
  EXPECT_EQ(shown({"a", "b", "c", "d", "e"}, {"a", "b", "x", "d", "e"}), " b -c +x  d");
  EXPECT_EQ(shown({"[", "a", "]"}, {"[", "a", "b", "]"}), " a +b  ]");
  EXPECT_EQ(shown({"a", "b"}, {"b"}), "-a  b");
  EXPECT_EQ(shown({}, {"a"}), "+a");
  EXPECT_EQ(shown({"a"}, {}), "-a");
  EXPECT_EQ(shown({"a", "b"}, {"a", "b"}), "");
}

TEST(TextDiff, tells_both_sides_whole) {
  std::mt19937 random(7);
  const auto lines = [&] {
    Lines all(random() % 12);
    for (auto& line : all) line = std::string(1, static_cast<char>('a' + random() % 4));
    return all;
  };
  for (int i = 0; i < 2000; ++i) {
    const Lines before = lines();
    const Lines after = lines();
    // What was removed goes, what was added comes: the counts must agree.
    std::size_t removed = 0;
    std::size_t added = 0;
    for (const auto& line : text_diff(before, after)) {
      removed += line.kind == DiffLine::Kind::before ? 1 : 0;
      added += line.kind == DiffLine::Kind::after ? 1 : 0;
    }
    EXPECT_EQ(before.size() - removed, after.size() - added);
    EXPECT_EQ(text_diff(before, after).empty(), before == after);
  }
}

TEST(TextDiff, of_long_values_is_bounded) {
  Lines before(20'000, "a");
  Lines after(20'000, "b");
  before.front() = after.front() = before.back() = after.back() = "same";
  const auto diff = text_diff(before, after);
  EXPECT_EQ(diff.size(), 2 * 19'998 + 2U);
}

}  // namespace
}  // namespace threadkeep::cli
