// SPDX-License-Identifier: Apache-2.0
// What a file says when it is examined.
#include <gtest/gtest.h>

#include <fstream>

#include "examined.hpp"
#include "support.hpp"

namespace threadkeep::sqlite_test {
namespace {

using testing::examined;

class Examine : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "store.db";
  std::string url_ = "sqlite:" + file_.string();
};

TEST_F(Examine, finds_a_new_file_good) {
  for (const auto* subject : {"store", "content", "durability", "disk"}) {
    EXPECT_EQ(examined(url_, subject), "good") << subject;
  }
}

TEST_F(Examine, says_what_a_faster_setting_costs) {
  EXPECT_TRUE(examined(url_ + "?synchronous=normal", "durability").starts_with("warning: "));
}

TEST_F(Examine, finds_a_file_that_cannot_shrink) {
  EXPECT_EQ(examined(url_, "room"), "");
  RawDatabase(file_).run("PRAGMA auto_vacuum = NONE; VACUUM");
  EXPECT_TRUE(examined(url_, "room").starts_with("warning: "));
  RawDatabase(file_).run("PRAGMA auto_vacuum = 2; VACUUM");
  EXPECT_EQ(examined(url_, "room"), "");
}

TEST_F(Examine, finds_pages_that_were_overwritten) {
  {
    Checkpointer store = open_store(file_);
    for (int i = 0; i < 200; ++i) {
      store.put(Draft("t" + std::to_string(i), "1").value("a", "1", std::string(500, 'x')));
    }
  }
  std::fstream stream(file_, std::ios::in | std::ios::out | std::ios::binary);
  const auto size = std::filesystem::file_size(file_);
  stream.seekp(static_cast<std::streamoff>(size / 2 / 4096 * 4096));
  stream << std::string(4096 * 4, '\x7f');
  stream.close();
  const auto content = examined(url_, "content");
  EXPECT_TRUE(content.starts_with("problem: ")) << content;
}

TEST_F(Examine, reports_a_file_that_is_no_store) {
  std::ofstream(file_) << "this is a letter and no database\n";
  EXPECT_TRUE(examined(url_, "store").starts_with("problem: "));
  EXPECT_EQ(examined(url_, "content"), "") << "nothing else is examined";
}

}  // namespace
}  // namespace threadkeep::sqlite_test
