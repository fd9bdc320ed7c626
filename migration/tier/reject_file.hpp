// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <threadkeep/error.hpp>
#include <threadkeep/table_store.hpp>

namespace threadkeep::migration {

/// Rows that a target did not take, as JSON lines with `table`, `code`, `message`, `columns` and
/// `line`. The file appears with the first of them, and only its owner may read it: it holds what
/// the rows hold. One that is there is added to.
class RejectFile {
 public:
  explicit RejectFile(std::string path) : path_(std::move(path)) {}
  ~RejectFile();
  RejectFile(const RejectFile&) = delete;
  RejectFile& operator=(const RejectFile&) = delete;

  const std::string& path() const noexcept { return path_; }
  /// On the disk when it returns. Throws Error.
  void add(const tables::Reject& reject, const std::vector<std::string>& columns);

 private:
  void open();

  std::string path_;
  int descriptor_ = -1;
};

}  // namespace threadkeep::migration
