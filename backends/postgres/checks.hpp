// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "catalog.hpp"

/// \file
/// What must be true of a schema before anything is done in it. Each throws Error with the remedy.

namespace threadkeep::postgres {

/// The schema has a name, the role may use it, the database is in UTF-8.
void check_schema(const Catalog& catalog);
/// Each table of LangGraph's and of threadkeep's that exists has the columns and the key by which
/// threadkeep uses it.
void check_columns(const Catalog& catalog);
/// No table is missing that LangGraph's record says was made.
void check_none_gone(const Catalog& catalog);
/// The ledger serves this program.
void check_ledger(const Catalog& catalog);

/// Some but not all of LangGraph's tables exist, as while its own setup() runs or when it was
/// broken off.
bool is_partial(const Catalog& catalog);
bool is_fresh(const Catalog& catalog);

/// The error of a role that may not do what is missing.
Error lacks_rights(const Catalog& catalog, const std::string& what);

}  // namespace threadkeep::postgres
