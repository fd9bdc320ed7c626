// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

#include "threadkeep/sql_host.hpp"

namespace threadkeep::retention {

/// The columns of a row of texts, one after the other.
class Columns {
 public:
  explicit Columns(const SqlHost::Row& row) : row_(row) {}

  bool is_null() const { return !row_.at(next_); }
  /// The text of the next column; empty for null.
  std::string text() { return row_.at(next_++).value_or(""); }
  /// The number in the next column; 0 for null.
  template <class Number = std::uint64_t>
  Number number() {
    const std::string digits = text();
    Number value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }

 private:
  const SqlHost::Row& row_;
  std::size_t next_ = 0;
};

}  // namespace threadkeep::retention
