// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace threadkeep::ops {

/// Takes bytes; throws Error when it cannot.
using Sink = std::function<void(std::string_view)>;

/// Writes at most `size` bytes to `buffer` and says how many; 0 is the end. Throws Error.
using Source = std::function<std::size_t(char* buffer, std::size_t size)>;

/// Compresses what it is given to one Zstandard frame (RFC 8878) with a checksum.
class Compressor {
 public:
  explicit Compressor(Sink sink);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  void add(std::string_view text);
  /// Ends the frame; nothing may be added after it.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Decompresses any number of Zstandard frames, one after another, to one text.
class Decompressor {
 public:
  explicit Decompressor(Source source);
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  /// The next piece of the text, valid until the next call; empty at its end. Throws Error(corrupt)
  /// where the bytes are damaged, end too early, or are something else.
  std::string_view next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace threadkeep::ops
