// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "database.hpp"
#include "threadkeep/sql_host.hpp"

namespace threadkeep::postgres {

/// The SqlHost of a store: connections of its pool.
class SqlAccess final : public SqlHost {
 public:
  explicit SqlAccess(Database& database) : database_(database) {}

  void execute(std::string_view script, const Call& call) override;
  std::vector<Row> query(std::string_view statement, std::span<const std::string> parameters,
                         const Call& call) override;

 private:
  Database& database_;
};

}  // namespace threadkeep::postgres
