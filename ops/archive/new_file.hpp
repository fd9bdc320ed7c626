// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace threadkeep::ops {

/// A file that appears under its name only when it is whole: it is written beside it, under the
/// name with ".partial-" and six characters added, which goes with this object. Only its owner may
/// read it, unless let_all_read() was called. Every function throws Error. Not thread-safe.
class NewFile {
 public:
  /// Throws Error(duplicate) when there is a file of this name, unless it may be replaced.
  NewFile(std::string path, bool replace);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void let_all_read();
  void write(std::string_view bytes);
  /// Everything is on the disk and under its name when it returns. One that came in between is not
  /// replaced either, unless it may be.
  void finish();

 private:
  bool link() const;

  std::string path_;
  bool replace_;
  std::string partial_;
  int descriptor_ = -1;
};

}  // namespace threadkeep::ops
