// SPDX-License-Identifier: Apache-2.0
#include "archive/spool.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace threadkeep::ops {
namespace {

TEST(Spool, gives_lines_back_from_memory_and_from_its_file) {
  Spool spool(100);
  std::vector<std::pair<Spool::Place, std::string>> lines;
  for (std::size_t size : {0, 60, 30, 10, 1, 50'000, 0, 200, 3}) {
    std::string line(size, static_cast<char>('a' + lines.size()));
    lines.emplace_back(spool.add(line), line);
    for (auto seen = lines.rbegin(); seen != lines.rend(); ++seen) {
      EXPECT_EQ(spool.read(seen->first), seen->second);
    }
  }
}

}  // namespace
}  // namespace threadkeep::ops
