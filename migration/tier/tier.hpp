// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <threadkeep/table_store.hpp>

#include "migration/tier/match.hpp"

namespace threadkeep::migration {

/// Where an application keeps its data.
enum class Tier {
  local,       ///< A SQLite file, or PGlite behind its socket.
  standalone,  ///< Postgres.
  federated,   ///< Postgres with pgvector.
};

std::string_view to_string(Tier tier) noexcept;
std::optional<Tier> tier_named(std::string_view name) noexcept;
/// What a database is, judged by what it can do.
Tier tier_of(const tables::DatabaseInfo& info) noexcept;
/// Why a database cannot be the target of a tier; absent where it can.
std::optional<Problem> stands_against(Tier tier, const tables::DatabaseInfo& target);

}  // namespace threadkeep::migration
