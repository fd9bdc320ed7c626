// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "threadkeep/store.hpp"

namespace threadkeep::ops {

/// A directory into which threads are written before they are deleted, each time as a new archive.
/// Not thread-safe.
class ArchiveDirectory {
 public:
  /// Throws Error(invalid_argument) when there is no such directory, or the error of the first file
  /// that cannot be written there. The store must outlive this.
  ArchiveDirectory(Store& store, const std::filesystem::path& directory);

  /// Writes those of the threads that are there; the path of the archive, which is whole and on the
  /// disk. Its name begins with the time and has `label`. Throws Error, and then leaves no file.
  std::string keep(const std::string& label, const std::vector<std::string>& thread_ids,
                   const Call& call);
  /// Deletes an archive that is not needed. Whether that works is of no importance.
  static void forget(const std::string& archive) noexcept;

 private:
  Store& store_;
  const std::filesystem::path directory_;
};

}  // namespace threadkeep::ops
