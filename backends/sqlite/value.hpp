// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace threadkeep::sqlite {

/// The storage classes of SQLite: what a value is, whatever its column was declared as.
enum class Storage { null, integer, real, text, blob };

/// One value of any storage class. Does not own its bytes.
struct Value {
  Storage storage = Storage::null;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view bytes{};  ///< Of a text or blob.

  static Value of(std::int64_t number) noexcept {
    return {.storage = Storage::integer, .integer = number};
  }
  static Value of(double number) noexcept { return {.storage = Storage::real, .real = number}; }
  static Value text(std::string_view bytes) noexcept {
    return {.storage = Storage::text, .bytes = bytes};
  }
  static Value blob(std::string_view bytes) noexcept {
    return {.storage = Storage::blob, .bytes = bytes};
  }

  /// The same storage class and content.
  bool operator==(const Value&) const = default;
};

}  // namespace threadkeep::sqlite
