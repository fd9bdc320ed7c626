// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "archive/archived_thread.hpp"
#include "archive/compression.hpp"
#include "archive/line.hpp"
#include "archive/sha256.hpp"

namespace threadkeep::ops {

/// Reads an archive from its beginning to its end, thread by thread; a thread is handed out when
/// all of it is there and its checksum and counts are right. Not thread-safe; not usable after it
/// has thrown.
class ArchiveReader {
 public:
  explicit ArchiveReader(Source source);

  /// Nothing after the last thread, when the archive's own end has been found right too. Throws
  /// Error(corrupt), or Error(unsupported) for an archive of a later version; the message names the
  /// line.
  std::optional<ArchivedThread> next();

 private:
  struct Entry {
    Line line;
    std::string text;  // with its newline
  };

  bool has_more();
  std::optional<std::string> read_text();
  Entry read_line();
  ArchivedThread read_thread(const ThreadLine& head, const std::string& text);
  void finish(const ArchiveEndLine& end);
  std::optional<ArchivedThread> read_next();

  Decompressor decompressor_;
  std::string_view piece_;  // what the decompressor gave and nobody has read
  std::uint64_t line_ = 0;
  std::uint64_t threads_ = 0;
  std::string last_thread_id_;
  Sha256 of_thread_;
  Sha256 of_archive_;
};

}  // namespace threadkeep::ops
