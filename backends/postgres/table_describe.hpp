// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "connection.hpp"
#include "threadkeep/call.hpp"
#include "threadkeep/table_model.hpp"

namespace threadkeep::postgres {

/// The application's tables in the connection's schema, as of one moment.
tables::Schema describe_tables(Connection& connection, const Call& call);

}  // namespace threadkeep::postgres
