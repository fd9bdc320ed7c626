// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace threadkeep::ops {

/// The SHA-256 of a text that comes in parts.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void restart();
  void add(std::string_view text);
  /// Of everything since the start, as 64 hexadecimal digits; more may be added after it.
  std::string digest() const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace threadkeep::ops
