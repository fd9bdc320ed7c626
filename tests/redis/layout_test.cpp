// SPDX-License-Identifier: Apache-2.0
#include "layout.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace threadkeep::redis_test {
namespace {

using namespace std::string_literals;

TEST(Layout, names_of_keys_have_the_bucket_as_their_hash_tag) {
  const redis::Keys keys("p", "my-thread");
  const auto tag = "{" + std::to_string(redis::bucket_of("my-thread")) + "}";
  EXPECT_EQ(keys.thread, "p:" + tag + ":t:my-thread");
  EXPECT_EQ(keys.index, "p:" + tag + ":i:my-thread");
  EXPECT_EQ(keys.registry, "p:" + tag + ":r");
  EXPECT_EQ(keys.deadlines, "p:" + tag + ":x");
  EXPECT_EQ(redis::meta_key("p"), "p:{meta}");
}

// Any program can find a thread: these numbers are part of the format.
TEST(Layout, buckets_are_those_of_the_format) {
  EXPECT_EQ(redis::bucket_of(""), 193U);
  EXPECT_EQ(redis::bucket_of("a"), 192U);
  EXPECT_EQ(redis::bucket_of("my-thread"), 244U);
}

TEST(Layout, buckets_are_filled_evenly) {
  std::vector<int> counts(redis::buckets);
  for (int i = 0; i < 256'000; ++i) ++counts[redis::bucket_of("thread-" + std::to_string(i))];
  for (const int count : counts) {
    EXPECT_GT(count, 850);
    EXPECT_LT(count, 1150);
  }
}

TEST(Layout, a_checkpoint_is_one_value) {
  PutCheckpoint put = Draft("t", "2")
                          .parent("1")
                          .metadata(R"({"run_id": "r", "counters_since_delta_snapshot": {"d": 1}})")
                          .value("a", "1.0", "x")
                          .inlined("b", "2", "7");
  const auto value = redis::encode_before_document(put) + put.document;
  const auto content = redis::decode_content(value);
  EXPECT_EQ(content.versions, (redis::Content::Versions{{"a", "1.0"}, {"b", "2"}}));
  EXPECT_EQ(content.inline_channels, std::vector<std::string>{"b"});
  EXPECT_EQ(content.delta_channels, std::vector<std::string>{"d"});
  EXPECT_EQ(content.run_id, "r");
  EXPECT_EQ(content.parent_checkpoint_id, "1");
  EXPECT_EQ(content.metadata, put.metadata);
  EXPECT_EQ(content.document, put.document);
}

TEST(Layout, bytes_of_values_are_those_of_the_format) {
  EXPECT_EQ(redis::encode_before_data(Blob{"c", "v", "type", {}}), "0type\0"s);
  EXPECT_EQ(redis::encode_before_data(pending("task", 1, "c", "", "~1")), "0c\0text\0~1\0"s);
  EXPECT_EQ(redis::blob_field("ns", "c", "v"), "bns\0c\0v"s);
  EXPECT_EQ(redis::checkpoint_field(redis::place("ns", "id")), "cns\0id"s);
  EXPECT_EQ(redis::write_suffix(pending("task", -3, "c", "")), "task\0-3"s);
  const std::string stored = "0c\0text\0~1\0data"s;
  const auto write = redis::decode_write(stored);
  EXPECT_EQ(write.channel, "c");
  EXPECT_EQ(write.type, "text");
  EXPECT_EQ(write.task_path, "~1");
  EXPECT_EQ(write.data, 11U);
}

TEST(Layout, damage_is_an_error) {
  const PutCheckpoint put = Draft("t", "2").value("a", "1", "x");
  const auto value = redis::encode_before_document(put);
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_EQ(code_of([&] { redis::decode_content(value.substr(0, size)); }), Code::corrupt);
  }
  EXPECT_EQ(code_of([] { redis::decode_blob("1text\0x"s); }), Code::corrupt);
  EXPECT_EQ(code_of([] { redis::decode_blob("0text"); }), Code::corrupt);
  EXPECT_EQ(code_of([] { redis::decode_blob(""); }), Code::corrupt);
  EXPECT_EQ(code_of([] { redis::decode_write("0a\0b\0"s); }), Code::corrupt);
  EXPECT_EQ(code_of([] { redis::decode_head("1 2 3"); }), Code::corrupt);
  EXPECT_EQ(code_of([] { redis::decode_head("a 2 3 4 5 6 "); }), Code::corrupt);
  EXPECT_EQ(code_of([] { redis::name_parts("ca", 2); }), Code::corrupt);
  EXPECT_EQ(code_of([] { redis::name_parts("ca\0b\0c"s, 2); }), Code::corrupt);
}

}  // namespace
}  // namespace threadkeep::redis_test
