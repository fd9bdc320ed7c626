// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "threadkeep/bytes.hpp"

namespace threadkeep::postgres {

/// The rows that a statement returned, in binary formats. Copies share the rows. Const use is
/// thread-safe. A function that does not fit the column's type throws Error(internal).
class Result {
 public:
  explicit Result(std::shared_ptr<const PGresult> rows) : rows_(std::move(rows)) {}

  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  int columns() const noexcept;
  /// Rows that the statement inserted, changed or deleted; 0 for a query.
  std::uint64_t affected() const noexcept;

  bool is_null(std::size_t row, int column) const noexcept;
  /// Of text, bytea or name; empty for null. Valid while a copy of this result lives.
  std::string_view view(std::size_t row, int column) const noexcept;
  std::string text(std::size_t row, int column) const;
  std::optional<std::string> optional_text(std::size_t row, int column) const;
  /// Of jsonb: its text.
  std::string json(std::size_t row, int column) const;
  std::string_view json_view(std::size_t row, int column) const;
  /// Refers to the memory of the result, which lives as long as the bytes do.
  Bytes bytes(std::size_t row, int column) const;
  /// Of smallint, integer, bigint, oid.
  std::int64_t integer(std::size_t row, int column) const;
  bool boolean(std::size_t row, int column) const;
  /// Of timestamptz: microseconds since 1970 UTC.
  std::int64_t timestamp(std::size_t row, int column) const;

 private:
  std::shared_ptr<const PGresult> rows_;
};

}  // namespace threadkeep::postgres
