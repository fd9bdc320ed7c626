// SPDX-License-Identifier: Apache-2.0
#include "archive/new_file.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "threadkeep/error.hpp"
#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::ops {
namespace {

class NewFiles : public ::testing::Test {
 protected:
  std::string text() const {
    std::ifstream stream(path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  std::ptrdiff_t files() const {
    return std::distance(std::filesystem::directory_iterator(directory.path()), {});
  }

  testing::TemporaryDirectory directory;
  const std::string path = directory.path() / "file";
};

TEST_F(NewFiles, appear_when_they_are_whole) {
  {
    NewFile file(path, false);
    file.write("half");
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_EQ(files(), 1);
  }
  EXPECT_EQ(files(), 0) << "what is not finished goes";
  NewFile file(path, false);
  file.write("whole");
  file.finish();
  EXPECT_EQ(text(), "whole");
}

TEST_F(NewFiles, leave_one_that_came_in_between) {
  NewFile file(path, false);
  std::ofstream(path) << "other";
  try {
    file.finish();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::duplicate) << error.what();
  }
  EXPECT_EQ(text(), "other");
  EXPECT_THROW(NewFile(path, false), Error);
}

TEST_F(NewFiles, replace_one_when_they_may) {
  std::ofstream(path) << "other";
  {
    NewFile file(path, true);
    file.write("new");
    EXPECT_EQ(text(), "other");
    file.finish();
  }
  EXPECT_EQ(text(), "new");
  EXPECT_EQ(files(), 1);
}

TEST_F(NewFiles, need_a_directory) {
  EXPECT_THROW(NewFile(directory.path() / "no" / "file", false), Error);
}

}  // namespace
}  // namespace threadkeep::ops
