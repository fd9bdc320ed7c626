// SPDX-License-Identifier: Apache-2.0
#include "archive/sha256.hpp"

#include <openssl/evp.h>

#include <new>

#include "threadkeep/error.hpp"

namespace threadkeep::ops {

namespace {

using Handle = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

Handle make_handle() {
  Handle handle(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (!handle) throw std::bad_alloc();
  return handle;
}

void check(int result) {
  if (result != 1) throw Error(Code::internal, "SHA-256 is not available in libcrypto");
}

}  // namespace

struct Sha256::Context {
  Handle handle = make_handle();
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  restart();
}

Sha256::~Sha256() = default;

void Sha256::restart() {
  check(EVP_DigestInit_ex(context_->handle.get(), EVP_sha256(), nullptr));
}

void Sha256::add(std::string_view text) {
  check(EVP_DigestUpdate(context_->handle.get(), text.data(), text.size()));
}

std::string Sha256::digest() const {
  const Handle copy = make_handle();
  check(EVP_MD_CTX_copy_ex(copy.get(), context_->handle.get()));
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  check(EVP_DigestFinal_ex(copy.get(), bytes, &size));
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

}  // namespace threadkeep::ops
