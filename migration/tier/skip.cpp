// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/skip.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace threadkeep::migration {

namespace {

struct Reason {
  std::string_view table;
  std::string_view why;
};

constexpr std::string_view sessions =
    "sessions end soon, and the target would not accept their tokens";
constexpr std::string_view verifications = "codes for one use, which expire";
constexpr std::string_view own_schema = "describes the schema of its own database";

constexpr std::array never_copied = {
    Reason{"sessions", sessions},
    Reason{"session", sessions},
    Reason{"verifications", verifications},
    Reason{"verification", verifications},
    Reason{"admin_tokens", "bound to the secret of the source's environment"},
    Reason{"__drizzle_migrations", own_schema},
    Reason{"_prisma_migrations", own_schema},
    Reason{"alembic_version", own_schema},
    Reason{"ar_internal_metadata", own_schema},
    Reason{"django_migrations", own_schema},
    Reason{"flyway_schema_history", own_schema},
    Reason{"goose_db_version", own_schema},
    Reason{"knex_migrations", own_schema},
    Reason{"knex_migrations_lock", own_schema},
    Reason{"schema_migrations", own_schema},
};

constexpr std::array<std::string_view, 4> credentials = {"accounts", "account",
                                                         "provider_credentials", "credentials"};

// Short-lived by their nature.
constexpr std::array<std::string_view, 5> with_expiry = {"invitations", "leases", "locks",
                                                         "one_time_tokens", "password_resets"};

template <typename List>
bool names(const List& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

SkipList::SkipList(SkipChoice choice) : choice_(std::move(choice)) {}

bool SkipList::is_skipped(const std::string& table) const {
  return names(choice_.skip, table);
}

std::optional<std::string> SkipList::reason(const std::string& table) const {
  if (is_skipped(table)) return "as you asked";
  const auto found = std::find_if(never_copied.begin(), never_copied.end(),
                                  [&](const Reason& each) { return each.table == table; });
  if (found != never_copied.end()) return std::string(found->why);
  if (names(credentials, table) && !choice_.include_credentials) {
    return "holds credentials; --include-credentials copies it";
  }
  return {};
}

bool SkipList::holds_credentials(const std::string& table) const {
  return choice_.include_credentials && names(credentials, table) && !is_skipped(table);
}

std::set<std::string> SkipList::columns(const std::string& table) const {
  std::set<std::string> columns;
  for (const auto& word : choice_.skip) {
    if (word.starts_with(table + ".")) columns.insert(word.substr(table.size() + 1));
  }
  return columns;
}

std::optional<std::string> SkipList::expiry(const tables::Table& table) const {
  if (!names(with_expiry, table.name) && !names(choice_.without_expired, table.name)) return {};
  const tables::Column* column = table.find("expires_at");
  if (column == nullptr) return {};
  const bool is_time =
      column->kind == tables::Kind::timestamp || column->kind == tables::Kind::timestamp_with_zone;
  return is_time ? std::optional<std::string>("expires_at") : std::nullopt;
}

std::vector<std::string> SkipList::unknown(const std::vector<tables::Table>& tables) const {
  const auto known = [&](const std::string& word) {
    return std::any_of(tables.begin(), tables.end(), [&](const tables::Table& table) {
      return word == table.name || (word.starts_with(table.name + ".") &&
                                    table.find(word.substr(table.name.size() + 1)) != nullptr);
    });
  };
  std::vector<std::string> unknown;
  for (const auto& word : choice_.skip) {
    if (!known(word)) unknown.push_back(word);
  }
  for (const auto& word : choice_.without_expired) {
    const auto table = std::find_if(tables.begin(), tables.end(),
                                    [&](const tables::Table& each) { return each.name == word; });
    if (table == tables.end() || !expiry(*table)) unknown.push_back(word);
  }
  return unknown;
}

}  // namespace threadkeep::migration
