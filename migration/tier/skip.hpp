// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <threadkeep/table_model.hpp>
#include <vector>

namespace threadkeep::migration {

/// What the user says about what is left behind.
struct SkipChoice {
  /// Tables, and columns as `table.column`.
  std::vector<std::string> skip;
  bool include_credentials = false;
  /// More tables of which rows whose `expires_at` has passed are left behind.
  std::vector<std::string> without_expired;
};

/// Why tables and rows of a source are left behind.
class SkipList {
 public:
  explicit SkipList(SkipChoice choice);

  /// For people; absent where the table is copied.
  std::optional<std::string> reason(const std::string& table) const;
  /// Whether a table holds secrets, and is copied because the user asked for it.
  bool holds_credentials(const std::string& table) const;
  std::set<std::string> columns(const std::string& table) const;
  /// The column by which old rows of a table are left behind.
  std::optional<std::string> expiry(const tables::Table& table) const;
  /// What the user named and no table or column has. Each as it was given.
  std::vector<std::string> unknown(const std::vector<tables::Table>& tables) const;

 private:
  bool is_skipped(const std::string& table) const;

  SkipChoice choice_;
};

}  // namespace threadkeep::migration
