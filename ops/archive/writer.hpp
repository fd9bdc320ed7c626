// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "archive/compression.hpp"
#include "archive/line.hpp"
#include "archive/part_sink.hpp"
#include "archive/sha256.hpp"

namespace threadkeep::ops {

/// Writes an archive from its beginning to its end, in one pass and with the memory of one line:
/// threads in the bytewise order of their ids, each with its parts. An archive without finish() is
/// refused by every reader. Not thread-safe.
class ArchiveWriter final : public PartSink {
 public:
  explicit ArchiveWriter(Sink sink);

  void begin_thread(const ThreadLine& thread) override;
  void add(const CheckpointLine& checkpoint) override;
  void add(const BlobLine& blob) override;
  void add(const WriteLine& write) override;
  void add(const MessageLine& message) override;
  void add(const StateLine& state) override;
  void end_thread() override;
  void finish();

  /// Of all threads so far.
  const Counts& counts() const noexcept { return counts_; }
  std::uint64_t threads() const noexcept { return threads_; }

 private:
  void write(const Line& line);

  Compressor compressor_;
  Sha256 of_thread_;
  Sha256 of_archive_;
  Counts in_thread_;
  Counts counts_;
  std::uint64_t threads_ = 0;
};

}  // namespace threadkeep::ops
