// SPDX-License-Identifier: Apache-2.0
#include "archive/line.hpp"

#include <gtest/gtest.h>

#include "archive/thread_lookup.hpp"
#include "sample.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::ops {
namespace {

// JSON in a way that another parser would change.
constexpr char document[] =
    "{\n  \"a\": 123456789012345678901234567890, \"a\" : 1.0e0,\t\"\\u00e9\": \"\\/\",\r\n"
    "\"v\": 1, \"channel_versions\": {}}";

CheckpointLine through_text(const CheckpointLine& line) {
  const std::string text = encode(line);
  EXPECT_EQ(text.find('\n'), text.size() - 1) << "one line";
  return std::get<CheckpointLine>(decode(std::string_view(text).substr(0, text.size() - 1)));
}

TEST(ArchiveLine, keeps_json_byte_for_byte) {
  const auto line = through_text({"ns\n", "\x01", "\u2028", document, "{ }"});
  EXPECT_EQ(line.checkpoint_ns, "ns\n");
  EXPECT_EQ(line.checkpoint_id, "\x01");
  EXPECT_EQ(line.parent_checkpoint_id, "\u2028");
  EXPECT_EQ(line.document, document);
  EXPECT_EQ(line.metadata, "{ }");
}

TEST(ArchiveLine, tells_no_parent_from_an_empty_one) {
  EXPECT_EQ(through_text({"", "1", {}, "{}", "{}"}).parent_checkpoint_id, std::nullopt);
  EXPECT_EQ(through_text({"", "1", "", "{}", "{}"}).parent_checkpoint_id, "");
}

TEST(ArchiveLine, refuses_what_is_not_utf8) {
  try {
    static_cast<void>(encode(CheckpointLine{"", "\xff", {}, "{}", "{}"}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::corrupt) << error.what();
  }
}

#ifdef THREADKEEP_TEST_MEMORY
TEST(ThreadLookup, finds_one_thread_by_its_id_among_all_neighbours) {
  const auto store = new_memory();
  const std::vector<std::string> ids = {"\x01",
                                        "\x01\x01",
                                        "a",
                                        "a\x01",
                                        "a\x7f",
                                        "a\u0080",
                                        "a\u07ff",
                                        "a\u0800",
                                        "a\uD7FF",
                                        "a\uE000",
                                        "a\uFFFF",
                                        "a\U00010000",
                                        "a\U0010FFFF",
                                        "b",
                                        std::string(512, 'z'),
                                        std::string(511, 'z')};
  for (const auto& id : ids) {
    EXPECT_FALSE(find_thread(*store, id, {})) << id;
    store->write(PutThread{id, "{}"}, {});
    ASSERT_TRUE(find_thread(*store, id, {})) << id;
  }
  for (const auto& id : ids) {
    EXPECT_EQ(find_thread(*store, id, {})->thread_id, id);
    store->write(DeleteThread{id}, {});
    EXPECT_FALSE(find_thread(*store, id, {})) << id;
  }
}
#endif

}  // namespace
}  // namespace threadkeep::ops
