// SPDX-License-Identifier: Apache-2.0
#include "archive/compression.hpp"

#include <zstd.h>

#include <new>
#include <utility>

#include "threadkeep/error.hpp"

namespace threadkeep::ops {

namespace {

std::size_t checked(std::size_t result) {
  if (ZSTD_isError(result) == 0) return result;
  throw Error(Code::internal, std::string("Zstandard: ") + ZSTD_getErrorName(result));
}

}  // namespace

struct Compressor::Impl {
  Sink sink;
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context{ZSTD_createCCtx(), &ZSTD_freeCCtx};
  std::string buffer = std::string(ZSTD_CStreamOutSize(), '\0');

  // True when everything is out.
  bool compress(ZSTD_inBuffer& input, ZSTD_EndDirective directive) {
    ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
    const std::size_t left =
        checked(ZSTD_compressStream2(context.get(), &output, &input, directive));
    if (output.pos > 0) sink(std::string_view(buffer).substr(0, output.pos));
    return directive == ZSTD_e_end ? left == 0 : input.pos == input.size;
  }
};

Compressor::Compressor(Sink sink) : impl_(new Impl{.sink = std::move(sink)}) {
  if (!impl_->context) throw std::bad_alloc();
  checked(ZSTD_CCtx_setParameter(impl_->context.get(), ZSTD_c_checksumFlag, 1));
}

Compressor::~Compressor() = default;

void Compressor::add(std::string_view text) {
  ZSTD_inBuffer input{text.data(), text.size(), 0};
  while (!impl_->compress(input, ZSTD_e_continue)) continue;
}

void Compressor::finish() {
  ZSTD_inBuffer input{nullptr, 0, 0};
  while (!impl_->compress(input, ZSTD_e_end)) continue;
}

struct Decompressor::Impl {
  Source source;
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context{ZSTD_createDCtx(), &ZSTD_freeDCtx};
  std::string compressed = std::string(ZSTD_DStreamInSize(), '\0');
  std::string text = std::string(ZSTD_DStreamOutSize(), '\0');
  ZSTD_inBuffer input{compressed.data(), 0, 0};
  bool within_frame = false;
  bool flushed = true;  // the context holds no text that did not fit

  bool fill() {
    input = {compressed.data(), source(compressed.data(), compressed.size()), 0};
    return input.size > 0;
  }

  std::size_t decompress() {
    ZSTD_outBuffer output{text.data(), text.size(), 0};
    const std::size_t left = ZSTD_decompressStream(context.get(), &output, &input);
    if (ZSTD_isError(left) != 0) {
      throw Error(Code::corrupt,
                  std::string("the compressed bytes are damaged: ") + ZSTD_getErrorName(left));
    }
    within_frame = left != 0;
    flushed = output.pos < output.size || left == 0;
    return output.pos;
  }
};

Decompressor::Decompressor(Source source) : impl_(new Impl{.source = std::move(source)}) {
  if (!impl_->context) throw std::bad_alloc();
}

Decompressor::~Decompressor() = default;

std::string_view Decompressor::next() {
  for (;;) {
    if (impl_->input.pos == impl_->input.size && impl_->flushed && !impl_->fill()) {
      if (impl_->within_frame) throw Error(Code::corrupt, "the compressed bytes end too early");
      return {};
    }
    const std::size_t size = impl_->decompress();
    if (size > 0) return std::string_view(impl_->text).substr(0, size);
  }
}

}  // namespace threadkeep::ops
