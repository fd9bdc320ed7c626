// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/postgres_transfer.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "migration/sql.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::migration {

namespace {

using Json = nlohmann::json;

constexpr const char* no_such_table = "42P01";

std::optional<std::int64_t> number_of(const std::optional<std::string>& text) {
  if (!text) return {};
  std::int64_t number = 0;
  std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

template <class Value>
Json json_of(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

ThreadNotes notes_of(SqlHost::Row& row) {
  ThreadNotes notes;
  notes.thread_id = row.at(0).value_or("");
  notes.tombstone = std::move(row.at(1));
  notes.pinned = row.at(2) == "true";
  for (const Json& hold : Json::parse(row.at(3).value_or("[]"))) {
    notes.holds.push_back(hold.get<std::string>());
  }
  notes.expires_at = number_of(row.at(4));
  return notes;
}

}  // namespace

// The tables of retention are there where it was installed.
std::vector<SqlHost::Row> PostgresTransfer::query(std::string_view with_retention,
                                                  std::string_view without,
                                                  std::span<const std::string> parameters,
                                                  const Call& call) {
  try {
    return sql_.query(with_retention, parameters, call);
  } catch (const Error& error) {
    if (error.native() != no_such_table) throw;
  }
  return sql_.query(without, parameters, call);
}

std::vector<ThreadNotes> PostgresTransfer::notes(const std::vector<std::string>& thread_ids,
                                                 const Call& call) {
  std::vector<ThreadNotes> all;
  if (thread_ids.empty()) return all;
  const std::string parameters[] = {Json(thread_ids).dump()};
  for (SqlHost::Row& row : query(sql::notes, sql::notes_plain, parameters, call)) {
    all.push_back(notes_of(row));
  }
  return all;
}

void PostgresTransfer::change(const std::vector<ThreadNotesChange>& changes, const Call& call) {
  if (changes.empty()) return;
  Json rows = Json::array();
  for (const ThreadNotesChange& change : changes) {
    rows.push_back({{"thread_id", change.thread_id},
                    {"created_at", json_of(change.created_at)},
                    {"updated_at", json_of(change.updated_at)},
                    {"tombstone", json_of(change.tombstone)}});
  }
  const std::string parameters[] = {rows.dump()};
  static_cast<void>(sql_.query(sql::change_notes, parameters, call));
}

Page<std::string> PostgresTransfer::names(std::string_view with_retention, std::string_view without,
                                          const std::string& cursor, std::size_t limit,
                                          const Call& call) {
  const std::string parameters[] = {cursor, std::to_string(limit)};
  Page<std::string> page;
  for (SqlHost::Row& row : query(with_retention, without, parameters, call)) {
    page.items.push_back(row.at(0).value_or(""));
  }
  if (page.items.size() == limit) page.next = page.items.back();
  return page;
}

Page<std::string> PostgresTransfer::unlisted(const std::string& cursor, std::size_t limit,
                                             const Call& call) {
  return names(sql::unlisted, sql::unlisted_plain, cursor, limit, call);
}

Page<std::string> PostgresTransfer::scopes(const std::string& cursor, std::size_t limit,
                                           const Call& call) {
  return names(sql::scopes, sql::scopes, cursor, limit, call);
}

}  // namespace threadkeep::migration
