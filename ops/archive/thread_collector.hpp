// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "archive/archived_thread.hpp"
#include "archive/part_sink.hpp"

namespace threadkeep::ops {

/// Makes an ArchivedThread of what it is given, without an archive between. Not thread-safe.
class ThreadCollector final : public PartSink {
 public:
  void begin_thread(const ThreadLine& thread) override;
  void add(const CheckpointLine& checkpoint) override { collect(checkpoint); }
  void add(const BlobLine& blob) override { collect(blob); }
  void add(const WriteLine& write) override { collect(write); }
  void add(const MessageLine& message) override { collect(message); }
  void add(const StateLine& state) override { collect(state); }
  void end_thread() override { thread_->check_whole(); }

  /// The thread after its end, or nothing when none began.
  std::optional<ArchivedThread> take();
  /// How long the lines were that it was given.
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  template <class Part>
  void collect(const Part& part) {
    const std::string text = encode(part);
    bytes_ += text.size();
    thread_->add(part, text);
  }

  std::optional<ArchivedThread> thread_;
  std::uint64_t bytes_ = 0;
};

}  // namespace threadkeep::ops
