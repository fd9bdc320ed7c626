// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "threadkeep/table_store.hpp"
#include "threadkeep/url.hpp"

namespace threadkeep::postgres {

/// The database of a store's URL as tables. Each thing that is asked of it has a connection of its
/// own, so that servers that take a single one can be described and then read.
std::unique_ptr<tables::Database> open_tables(Url url, const Call& call);

}  // namespace threadkeep::postgres
