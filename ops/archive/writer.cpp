// SPDX-License-Identifier: Apache-2.0
#include "archive/writer.hpp"

#include <utility>

namespace threadkeep::ops {

ArchiveWriter::ArchiveWriter(Sink sink) : compressor_(std::move(sink)) {
  write(HeaderLine{});
}

void ArchiveWriter::begin_thread(const ThreadLine& thread) {
  of_thread_.restart();
  in_thread_ = {};
  write(thread);
}

void ArchiveWriter::add(const CheckpointLine& checkpoint) {
  ++in_thread_.checkpoints;
  write(checkpoint);
}

void ArchiveWriter::add(const BlobLine& blob) {
  ++in_thread_.blobs;
  write(blob);
}

void ArchiveWriter::add(const WriteLine& line) {
  ++in_thread_.writes;
  write(line);
}

void ArchiveWriter::add(const MessageLine& message) {
  ++in_thread_.messages;
  write(message);
}

void ArchiveWriter::add(const StateLine& state) {
  ++in_thread_.states;
  write(state);
}

void ArchiveWriter::end_thread() {
  write(ThreadEndLine{in_thread_, of_thread_.digest()});
  counts_ += in_thread_;
  ++threads_;
}

void ArchiveWriter::finish() {
  write(ArchiveEndLine{threads_, of_archive_.digest()});
  compressor_.finish();
}

void ArchiveWriter::write(const Line& line) {
  const std::string text = encode(line);
  of_thread_.add(text);
  of_archive_.add(text);
  compressor_.add(text);
}

}  // namespace threadkeep::ops
