// SPDX-License-Identifier: Apache-2.0
#include "archive/base64.hpp"

#include <gtest/gtest.h>

namespace threadkeep::ops {
namespace {

std::string encoded(std::string_view bytes) {
  std::string text = "x";
  append_base64(text, bytes);
  return text.substr(1);
}

// RFC 4648, section 10.
TEST(Base64, is_that_of_the_standard) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(encoded("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encoded("\xfb\xff\xbf"), "+/+/");
}

TEST(Base64, gives_every_byte_back) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(decode_base64(encoded(bytes)), bytes);
    bytes += static_cast<char>(i * 7);
  }
}

TEST(Base64, has_one_text_for_the_same_bytes) {
  for (const auto* text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "Zm9v\n", "Zm9-",
                           "Zg==Zg==", " Zm9v", "Zm=v"}) {
    EXPECT_FALSE(decode_base64(text)) << text;
  }
}

}  // namespace
}  // namespace threadkeep::ops
