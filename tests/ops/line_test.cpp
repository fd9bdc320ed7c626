// SPDX-License-Identifier: Apache-2.0
#include "archive/line.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace threadkeep::ops
