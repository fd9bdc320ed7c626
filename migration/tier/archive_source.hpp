// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <threadkeep/store.hpp>

namespace threadkeep::migration {

/// The file of a source that is called `archive:FILE`, or only `FILE.jsonl.zst`; absent where it is
/// called otherwise.
std::optional<std::string> archive_of(const std::string& url);

/// The threads of an export as a store, so that they are compared and copied as those of any other
/// one: in a file of the directory for temporary files, which goes with this object. Only its owner
/// can read it.
class ArchiveSource {
 public:
  /// Reads all of the file. Throws Error: unavailable where it cannot be read, corrupt or
  /// unsupported as ArchiveReader does.
  ArchiveSource(const std::string& file, const Call& call);
  ~ArchiveSource();
  ArchiveSource(const ArchiveSource&) = delete;
  ArchiveSource& operator=(const ArchiveSource&) = delete;

  /// Must not outlive this.
  const std::shared_ptr<Store>& store() const noexcept { return store_; }

 private:
  void import(const std::string& file, const Call& call);

  std::filesystem::path directory_;
  std::shared_ptr<Store> store_;
};

}  // namespace threadkeep::migration
