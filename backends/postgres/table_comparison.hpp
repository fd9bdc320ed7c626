// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "connection.hpp"
#include "table_stage.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::postgres {

/// Compares in the server, after the lines have become values of the target's types. What the
/// source has is remembered in a temporary table: the keys, or a digest of each row where the table
/// has no key. Refers to the connection.
class TableComparison final : public tables::Comparison {
 public:
  TableComparison(Connection& connection, const tables::Target& target, tables::KeyRange range,
                  const Call& call);

  void add(const tables::Batch& batch, const Call& call) override;
  tables::Differences finish(const Call& call) override;

 private:
  void compare(const Call& call);
  void remember(const Call& call);
  void count_extra(const Call& call);
  void count_by_digest(const Call& call);
  /// `inside`: the condition that a row lies in the range.
  std::string text(std::string_view sql, const std::string& inside = "true") const;

  Connection& connection_;
  const tables::Target target_;
  const tables::KeyRange range_;
  TableStage stage_;
  tables::Differences found_;
};

}  // namespace threadkeep::postgres
