// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/testing/temporary_directory.hpp"

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace threadkeep::testing {

TemporaryDirectory::TemporaryDirectory() {
  auto pattern = (std::filesystem::temp_directory_path() / "threadkeep-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    throw std::system_error(errno, std::generic_category(), "mkdtemp " + pattern);
  }
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;  // A leftover directory must not end the program.
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace threadkeep::testing
