// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace threadkeep::testing {

/// A new empty directory that is removed, with all it holds, by the destructor.
class TemporaryDirectory {
 public:
  /// Below TMPDIR, else below /tmp. Throws std::system_error.
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace threadkeep::testing
