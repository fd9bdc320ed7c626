// SPDX-License-Identifier: Apache-2.0
#include "layers/tuple_codec.hpp"
#include "tiered_fixture.hpp"

namespace threadkeep::tiered_test {
namespace {

VersionedTuple sample() {
  VersionedTuple entry;
  entry.version = "17 1 abc";
  entry.tuple = {.thread_id = "t",
                 .checkpoint_ns = "",
                 .checkpoint_id = "c",
                 .parent_checkpoint_id = "",
                 .document = R"({"v": 4})",
                 .metadata = "{}",
                 .values = {{"a", "1", "text", Bytes::copy("one")}, {"b", "2", "null", Bytes()}},
                 .writes = {pending("task", -2147483647 - 1, "x", "w", "path")}};
  return entry;
}

std::string decoded(const Bytes& value) {
  const auto entry = decode_tuple(value);
  return entry ? entry->version + "|" + text_of(entry->tuple) : "none";
}

TEST(TupleCodec, gives_back_what_it_was_given) {
  const auto entry = sample();
  EXPECT_EQ(decoded(encode_tuple(entry)), entry.version + "|" + text_of(entry.tuple));
}

TEST(TupleCodec, tells_no_parent_from_one_without_a_name) {
  auto entry = sample();
  EXPECT_EQ(decode_tuple(encode_tuple(entry))->tuple.parent_checkpoint_id, "");
  entry.tuple.parent_checkpoint_id.reset();
  EXPECT_EQ(decode_tuple(encode_tuple(entry))->tuple.parent_checkpoint_id, std::nullopt);
}

TEST(TupleCodec, shares_the_memory_of_large_values) {
  auto entry = sample();
  entry.tuple.values[0].data = Bytes(std::string(1 << 20, 'x'));
  const Bytes value = encode_tuple(entry);
  const auto again = decode_tuple(value);
  ASSERT_TRUE(again);
  const char* at = again->tuple.values[0].data.data();
  EXPECT_TRUE(at > value.data() && at < value.data() + value.size());
}

TEST(TupleCodec, outlives_the_value) {
  std::optional<VersionedTuple> entry;
  {
    const Bytes value = encode_tuple(sample());
    entry = decode_tuple(value);
  }
  EXPECT_EQ(text_of(entry->tuple), text_of(sample().tuple));
}

TEST(TupleCodec, refuses_a_value_that_is_cut) {
  const Bytes value = encode_tuple(sample());
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_EQ(decoded(Bytes::copy(value.view().substr(0, size))), "none") << size;
  }
  EXPECT_EQ(decoded(Bytes(std::string(value.view()) + "x")), "none");
}

TEST(TupleCodec, refuses_a_value_of_which_any_bit_is_another) {
  const std::string value(encode_tuple(sample()).view());
  for (std::size_t i = 0; i < value.size() * 8; ++i) {
    std::string damaged = value;
    damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ (1 << i % 8));
    EXPECT_EQ(decoded(Bytes(damaged)), "none") << i;
  }
}

TEST(TupleCodec, refuses_values_whose_words_changed_places) {
  auto entry = sample();
  std::string data;
  for (int i = 0; i < 64; ++i) data += padded(i) + "..";
  entry.tuple.values[0].data = Bytes(data);
  const std::string value(encode_tuple(entry).view());
  for (std::size_t i = 16; i + 72 < value.size(); ++i) {
    std::string swapped = value;
    std::swap_ranges(swapped.begin() + i, swapped.begin() + i + 8, swapped.begin() + i + 64);
    if (swapped != value) {
      EXPECT_EQ(decoded(Bytes(swapped)), "none") << i;
    }
  }
}

}  // namespace
}  // namespace threadkeep::tiered_test
