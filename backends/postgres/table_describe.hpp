// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "connection.hpp"
#include "threadkeep/call.hpp"
#include "threadkeep/table_model.hpp"

namespace threadkeep::postgres {

/// The application's tables in the connection's schema, as of one moment.
tables::Schema describe_tables(Connection& connection, const Call& call);

/// What sql/tables_foreign_keys.sql says of a table, or of all of the schema.
Result ask_for_foreign_keys(Connection& connection, const std::optional<std::string>& target,
                            const Call& call);

}  // namespace threadkeep::postgres
