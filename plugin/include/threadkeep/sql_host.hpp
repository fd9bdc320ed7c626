// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "threadkeep/call.hpp"

namespace threadkeep {

/// The way to a store's SQL database for what is built beside the store and lives in the database
/// itself, such as functions. In every text `{schema}` stands for the quoted schema of the store
/// with its dot, `{only_schema}` for the schema alone, and `{c}` for the collation (or nothing) by
/// which an ORDER BY of ids meets an index. Thread-safe; errors as Backend's.
class SqlHost {
 public:
  using Row = std::vector<std::optional<std::string>>;

  virtual ~SqlHost() = default;
  SqlHost() = default;
  SqlHost(const SqlHost&) = delete;
  SqlHost& operator=(const SqlHost&) = delete;

  /// Runs statements without values as one transaction.
  virtual void execute(std::string_view script, const Call& call) = 0;
  /// Runs one statement; parameters and columns are texts.
  virtual std::vector<Row> query(std::string_view statement,
                                 std::span<const std::string> parameters, const Call& call) = 0;
};

}  // namespace threadkeep
