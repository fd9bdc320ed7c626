// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/tier.hpp"

#include <array>

namespace threadkeep::migration {

namespace {

using tables::VectorSupport;

constexpr std::array all = {Tier::local, Tier::standalone, Tier::federated};

std::optional<Problem> no_vectors(const tables::DatabaseInfo& target) {
  const std::string create = "CREATE EXTENSION vector";
  switch (target.vectors) {
    case VectorSupport::installed:
      break;
    case VectorSupport::available:
      return Problem{"the target has the library of pgvector, but not its extension",
                     "run " + create + " in the target's database"};
    case VectorSupport::no_permission:
      return Problem{
          "the target has the library of pgvector, but this role may not create its "
          "extension",
          "let a superuser run " + create + " in the target's database"};
    case VectorSupport::no_library:
      return Problem{"the target's server has no library of pgvector",
                     "install pgvector there (Debian: postgresql-" +
                         target.version.substr(0, target.version.find('.')) +
                         "-pgvector), then run " + create +
                         "; or say --to standalone if nothing needs vectors"};
  }
  return {};
}

Problem other_engine(Tier tier, const tables::DatabaseInfo& target, const char* what) {
  return {"the target is " + target.engine + ", and the tier " + std::string(to_string(tier)) +
              " is " + what,
          "say --to " + std::string(to_string(tier_of(target))) + ", or another --target-url"};
}

}  // namespace

std::string_view to_string(Tier tier) noexcept {
  switch (tier) {
    case Tier::local:
      return "local";
    case Tier::standalone:
      return "standalone";
    case Tier::federated:
      break;
  }
  return "federated";
}

std::optional<Tier> tier_named(std::string_view name) noexcept {
  for (const Tier tier : all) {
    if (to_string(tier) == name) return tier;
  }
  return {};
}

Tier tier_of(const tables::DatabaseInfo& info) noexcept {
  if (info.engine != "postgres") return Tier::local;
  return info.vectors == VectorSupport::installed ? Tier::federated : Tier::standalone;
}

std::optional<Problem> stands_against(Tier tier, const tables::DatabaseInfo& target) {
  if (target.in_recovery) {
    return Problem{"the target is a standby, which takes no writes",
                   "give the URL of its primary server"};
  }
  const bool is_postgres = target.engine == "postgres";
  if (tier == Tier::local) {
    if (is_postgres) return other_engine(tier, target, "a SQLite file or PGlite");
    return {};
  }
  if (!is_postgres) return other_engine(tier, target, "a Postgres server");
  return tier == Tier::federated ? no_vectors(target) : std::nullopt;
}

}  // namespace threadkeep::migration
