// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>

#include "threadkeep/testing/temporary_directory.hpp"

namespace threadkeep::chaos_test {

/// A file system of so many MiB in memory, seen by this process and those that it starts, and owned
/// by the user as whom servers run. Throws std::runtime_error where this process may not mount.
class SmallDisk {
 public:
  explicit SmallDisk(int mebibytes = 64);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  const std::filesystem::path& path() const noexcept { return directory_.path(); }
  /// Moves a directory here, and leaves a link where it was.
  void take(const std::filesystem::path& directory);
  /// Takes all that is left, and gives it back.
  void fill();
  void empty();

 private:
  std::filesystem::path ballast() const { return path() / "ballast"; }

  testing::TemporaryDirectory directory_;
};

}  // namespace threadkeep::chaos_test
