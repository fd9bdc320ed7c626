// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "threadkeep/model.hpp"
#include "threadkeep/session_model.hpp"

/// \file
/// The lines of an archive, as docs/storage/archive.md describes them.

namespace threadkeep::ops {

/// The format that is written, and the only one that is read.
inline constexpr std::int64_t archive_version = 1;

/// A longer line is neither written nor read. No store holds a value that needs one.
inline constexpr std::size_t max_line_bytes = std::size_t{1} << 31;

struct HeaderLine {
  std::int64_t version = archive_version;
};

struct ThreadLine {
  std::string thread_id;
  /// Absent for a thread that only has writes whose checkpoint is not stored.
  std::optional<ThreadInfo> info;
};

struct CheckpointLine {
  std::string checkpoint_ns;
  std::string checkpoint_id;
  std::optional<std::string> parent_checkpoint_id;
  std::string document;
  std::string metadata;
};

/// Stands before the first checkpoint that names it.
struct BlobLine {
  std::string checkpoint_ns;
  Blob blob;
};

struct WriteLine {
  std::string checkpoint_ns;
  std::string checkpoint_id;
  PendingWrite write;
};

/// Stands after the messages of its stream that have a smaller seq.
struct MessageLine {
  Message message;
};

struct StateLine {
  StateDocument document;
};

/// How many lines of each kind there are.
struct Counts {
  std::uint64_t checkpoints = 0;
  std::uint64_t blobs = 0;
  std::uint64_t writes = 0;
  std::uint64_t messages = 0;
  std::uint64_t states = 0;

  friend bool operator==(const Counts&, const Counts&) = default;
  Counts& operator+=(const Counts& other) {
    checkpoints += other.checkpoints;
    blobs += other.blobs;
    writes += other.writes;
    messages += other.messages;
    states += other.states;
    return *this;
  }
};

struct ThreadEndLine {
  Counts counts;
  std::string sha256;  ///< Of the lines of the thread before this one.
};

struct ArchiveEndLine {
  std::uint64_t threads = 0;
  std::string sha256;  ///< Of all lines before this one.
};

using Line = std::variant<HeaderLine, ThreadLine, CheckpointLine, BlobLine, WriteLine, MessageLine,
                          StateLine, ThreadEndLine, ArchiveEndLine>;

/// The line with its newline. Throws Error(corrupt) for text of a store that is not UTF-8 or does
/// not fit into a line.
std::string encode(const Line& line);

/// Reads a line without its newline. Throws Error(corrupt), or Error(unsupported) for kinds,
/// members and versions that a later version may have.
Line decode(std::string_view text);

}  // namespace threadkeep::ops
