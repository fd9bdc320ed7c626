// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::postgres {

/// From a stage into a target: the statements for one table. Rows that are equal or newer in the
/// target are neither locked nor written. Refers to nothing.
class TableMerge {
 public:
  TableMerge(const std::string& schema, const tables::Target& target, const std::string& stage);

  /// Inside a transaction. The counts are of rows that were really written: a trigger may have
  /// withheld others.
  tables::Counts run(Connection& connection, const Call& call) const;

 private:
  std::string settled_;
  std::string update_;
  std::string insert_;
};

}  // namespace threadkeep::postgres
