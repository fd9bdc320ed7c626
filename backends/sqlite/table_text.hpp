// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "table_kinds.hpp"
#include "value.hpp"

/// \file
/// Between values and the canonical text of their kind.
/// docs/decisions/0022-values-of-sqlite-as-text.md says what becomes what, and why.

namespace threadkeep::sqlite {

/// What a column's values are, and what SQLite makes of values that are put into it.
struct Format {
  tables::Kind kind = tables::Kind::other;
  Affinity affinity = Affinity::none;
};

/// A value that owns its bytes.
class OwnedValue {
 public:
  OwnedValue() = default;
  explicit OwnedValue(const Value& value) : value_(value), bytes_(value.bytes) {}
  static OwnedValue text(std::string bytes) { return {Storage::text, std::move(bytes)}; }
  static OwnedValue blob(std::string bytes) { return {Storage::blob, std::move(bytes)}; }

  /// Valid as long as this is neither changed nor moved.
  Value view() const noexcept {
    Value value = value_;
    value.bytes = bytes_;
    return value;
  }

 private:
  OwnedValue(Storage storage, std::string bytes)
      : value_{.storage = storage}, bytes_(std::move(bytes)) {}

  Value value_;
  std::string bytes_;
};

/// Of a value that is not NULL.
std::string canonical_text(const Value& value, tables::Kind kind);

/// The value that a column keeps for a text, or why it cannot keep it unchanged.
struct Reading {
  OwnedValue value;
  std::optional<std::string> problem;
};
Reading value_of(std::string text, Format format);

/// A text that is known to be that of a storage class; absent when it is not.
std::optional<OwnedValue> value_of_class(std::string_view text, Storage storage, tables::Kind kind);

}  // namespace threadkeep::sqlite
