// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connection.hpp"
#include "table_describe.hpp"

namespace threadkeep::sqlite {

/// Notes what runs have written into one table, and says what its rows are now. In a transaction.
class RowLog {
 public:
  RowLog(Connection& connection, const tables::Table& table);

  /// What the row of this key holds, as text that differs where any of its values does; absent
  /// where there is no such row. The key is that of key_order_of().
  std::optional<std::string> content(std::span<const Value> key);
  /// Notes what the row holds now.
  void note(const std::string& run_id, std::span<const Value> key, bool inserted);

  /// The condition that a row has the key ?1, ?2, ...
  const std::string& has_key() const noexcept { return has_key_; }
  const KeyOrder& order() const noexcept { return order_; }

 private:
  Connection& connection_;
  const std::string name_;
  const KeyOrder order_;
  const std::string has_key_;
  const std::string find_;
  std::size_t columns_ = 0;
};

}  // namespace threadkeep::sqlite
