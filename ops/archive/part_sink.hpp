// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/line.hpp"

namespace threadkeep::ops {

/// Takes threads part by part, in the order of an archive: see docs/storage/archive.md. Errors are
/// thrown and end the thread.
class PartSink {
 public:
  virtual ~PartSink() = default;
  PartSink() = default;
  PartSink(const PartSink&) = delete;
  PartSink& operator=(const PartSink&) = delete;

  virtual void begin_thread(const ThreadLine& thread) = 0;
  virtual void add(const CheckpointLine& checkpoint) = 0;
  virtual void add(const BlobLine& blob) = 0;
  virtual void add(const WriteLine& write) = 0;
  virtual void add(const MessageLine& message) = 0;
  virtual void add(const StateLine& state) = 0;
  virtual void end_thread() = 0;
};

}  // namespace threadkeep::ops
