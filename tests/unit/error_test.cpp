// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/error.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <type_traits>

namespace threadkeep {
namespace {

constexpr Code all_codes[] = {Code::invalid_argument, Code::conflict,        Code::duplicate,
                              Code::unavailable,      Code::timeout,         Code::cancelled,
                              Code::corrupt,          Code::outcome_unknown, Code::denied,
                              Code::unsupported,      Code::no_space,        Code::internal};

TEST(ErrorType, names_every_code_differently) {
  std::set<std::string_view> names;
  for (const auto code : all_codes) names.insert(to_string(code));
  EXPECT_EQ(names.size(), std::size(all_codes));
  EXPECT_EQ(to_string(Code::invalid_argument), "invalid_argument");
  EXPECT_EQ(to_string(Code::outcome_unknown), "outcome_unknown");
}

TEST(ErrorType, says_what_was_done_what_happened_and_why) {
  const Error error(Code::unavailable, "the file is locked", "SQLITE_BUSY", "put");
  EXPECT_TRUE(std::string_view(error.what()).starts_with("put: unavailable: the file is locked"));
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_EQ(error.message(), "the file is locked");
  EXPECT_EQ(error.native(), "SQLITE_BUSY");
  EXPECT_EQ(error.operation(), "put");
}

TEST(ErrorType, needs_no_operation) {
  EXPECT_STREQ(Error(Code::conflict, "no").what(), "conflict: no");
}

TEST(ErrorType, keeps_the_operation_that_was_named_first) {
  const Error plain(Code::conflict, "no", "native");
  const auto named = plain.during("put").during("batch");
  EXPECT_EQ(named.operation(), "put");
  EXPECT_EQ(named.native(), "native");
  EXPECT_EQ(plain.operation(), "");
}

TEST(ErrorType, knows_when_to_try_again) {
  const std::set<Code> safe{Code::unavailable, Code::timeout, Code::outcome_unknown};
  for (const auto code : all_codes) {
    EXPECT_EQ(Error(code, "").retry_safe(), safe.contains(code)) << to_string(code);
  }
}

TEST(ErrorType, is_copied_without_throwing) {
  static_assert(std::is_nothrow_copy_constructible_v<Error>);
  static_assert(std::is_nothrow_copy_assignable_v<Error>);
  static_assert(std::is_base_of_v<std::exception, Error>);
}

}  // namespace
}  // namespace threadkeep
