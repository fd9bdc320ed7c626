// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "layout.hpp"
#include "threadkeep/backend.hpp"

namespace threadkeep::postgres {

/// What first use does when something is missing: in one short transaction with lock and statement
/// timeouts, behind an advisory lock, it creates threadkeep_* tables; and on a schema without any
/// of LangGraph's tables those too, as version 9 of its savers has them. Existing tables of
/// LangGraph are never touched here. Returns the layout afterwards. Throws Error(denied) with the
/// remedy when the role may not create tables, Error(unsupported) when the store was made by a
/// newer threadkeep that this one cannot serve, or when LangGraph's tables are too old to use
/// without setup().
///
/// Where first use refuses, it creates nothing: Error(unavailable) when something is missing.
Layout prepare_first_use(Connection& connection, const Call& call,
                         FirstUse first_use = FirstUse::creates);

/// What there is, for those who want to know and change nothing. Throws Error(denied) when the role
/// may not see it, Error(unsupported) when the store is that of a newer threadkeep.
Layout look_at_store(Connection& connection, const Call& call);

/// Everything: first use, what LangGraph's own migrations up to 9 add to older tables or to those
/// that its setup() has begun to make, and indexes built without blocking writers. One runner at a
/// time; resumes where a killed one stopped. What it does needs a session: where something is left
/// to do it throws Error(unsupported), naming `direct_url`, behind a pooler.
void run_setup(Connection& connection, const Call& call);

/// What run_setup does as a script for psql, or the rights of a role; see Backend::setup_script.
/// Without a schema it is for the first one of the search path.
std::string setup_script(const std::optional<std::string>& schema, SetupRole role,
                         std::string_view grantee);

}  // namespace threadkeep::postgres
