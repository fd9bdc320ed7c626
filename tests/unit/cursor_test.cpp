// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "threadkeep/backend_support.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep {
namespace {

using namespace std::string_literals;
using Parts = std::vector<std::string>;

CheckpointList query() {
  CheckpointList list;
  list.thread_id = "t";
  list.filter = {{"k", "1"}};
  return list;
}

bool refused(const CursorCodec& codec, std::string_view cursor, std::size_t parts) {
  try {
    codec.decode(cursor, parts);
    return false;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return true;
  }
}

TEST(CursorOf, a_position_gives_it_back) {
  const CursorCodec codec(query());
  for (const Parts& parts : {Parts{"1"}, Parts{"", "", ""}, Parts{"a\0b"s, std::string(512, 'x')},
                             Parts{"\u00e9", "{*}|"}, Parts{}}) {
    EXPECT_EQ(codec.decode(codec.encode(parts), parts.size()), parts);
  }
}

TEST(CursorOf, a_position_is_safe_in_a_url) {
  const auto cursor = CursorCodec(query()).encode({"\xff\xfe?/+ &=", "x"});
  EXPECT_EQ(cursor.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-_"),
            std::string::npos)
      << cursor;
}

TEST(CursorOf, a_position_is_refused_with_any_byte_changed) {
  const CursorCodec codec(query());
  const auto good = codec.encode({"checkpoint", "thread", "ns"});
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char other : {'A', 'B', '-', ' ', '=', '\0'}) {
      auto bad = good;
      bad[i] = other;
      EXPECT_EQ(refused(codec, bad, 3), bad != good) << bad;
    }
    EXPECT_TRUE(refused(codec, good.substr(0, i), 3));
    EXPECT_TRUE(refused(codec, good.substr(i + 1), 3));
  }
  EXPECT_TRUE(refused(codec, good + "A", 3));
  EXPECT_TRUE(refused(codec, good + "=", 3));
  EXPECT_TRUE(refused(codec, good + good, 3));
}

TEST(CursorOf, a_position_has_a_number_of_parts) {
  const CursorCodec codec(query());
  const auto cursor = codec.encode({"a", "b"});
  EXPECT_TRUE(refused(codec, cursor, 1));
  EXPECT_TRUE(refused(codec, cursor, 3));
}

TEST(CursorOf, noise_is_refused) {
  const CursorCodec codec(query());
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string noise(random() % 80, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    EXPECT_TRUE(refused(codec, noise, random() % 4));
  }
}

TEST(CursorOf, a_query_covers_what_selects_and_orders) {
  const auto cursor = CursorCodec(query()).encode({"x"});
  std::vector<CheckpointList> others(8, query());
  others[0].thread_id = "u";
  others[1].thread_id.reset();
  others[2].checkpoint_ns = "";
  others[3].checkpoint_id = "1";
  others[4].before = "1";
  others[5].filter.clear();
  others[6].filter = {{"k", "2"}};
  others[7].filter = {{"k1", ""}};  // The same letters, cut elsewhere.
  for (const auto& other : others) EXPECT_TRUE(refused(CursorCodec(other), cursor, 1));
  EXPECT_TRUE(refused(CursorCodec(ThreadList{}), cursor, 1));
}

TEST(CursorOf, a_query_does_not_cover_the_page_size) {
  const auto cursor = CursorCodec(query()).encode({"x"});
  auto other = query();
  other.limit = 7;
  other.max_bytes = 7;
  other.include.values = false;
  other.cursor = cursor;
  EXPECT_EQ(CursorCodec(other).decode(cursor, 1), Parts{"x"});
}

TEST(CursorOf, threads_depends_on_their_filter) {
  ThreadList list;
  const auto cursor = CursorCodec(list).encode({"t"});
  EXPECT_EQ(CursorCodec(list).decode(cursor, 1), Parts{"t"});
  list.filter = {{"k", "1"}};
  EXPECT_TRUE(refused(CursorCodec(list), cursor, 1));
}

}  // namespace
}  // namespace threadkeep
