// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "connection.hpp"
#include "layout.hpp"
#include "threadkeep/stats.hpp"

namespace threadkeep::postgres {

/// Looks at everything in tables of up to some ten thousand pages, else at a sample of the pages.
/// Up to five statements, which need not see one snapshot.
StoreStats stats(Connection& connection, const Layout& layout, const StatsQuery& query,
                 const Call& call);

}  // namespace threadkeep::postgres
