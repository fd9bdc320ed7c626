// SPDX-License-Identifier: Apache-2.0
#include "table_digest.hpp"

#include <utility>

#include "postgres/sql.hpp"
#include "table_session.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

using tables::KeyRange;
using tables::KeyValues;
using tables::Kind;
using tables::LineColumn;
using tables::Table;

// A function takes no more than 100 arguments, and a column needs up to three.
constexpr std::size_t columns_of_one_call = 30;

// See tables::Digest. concat() writes nothing for NULL.
std::string piece_of(const LineColumn& column) {
  const std::string value = "t." + quote_identifier(column.name);
  switch (column.kind) {
    case Kind::boolean:
      return "CASE WHEN " + value + " THEN 't' WHEN NOT " + value + " THEN 'f' END, ';'";
    case Kind::text:
    case Kind::json:
    case Kind::vector:
    case Kind::other:
      return "octet_length(" + value + "::text), ':', " + value + "::text";
    default:
      return value + "::text, ';'";
  }
}

std::string text_of(const std::vector<LineColumn>& columns) {
  std::string out;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool first = i % columns_of_one_call == 0;
    if (first) out += i == 0 ? "concat(" : ") || concat(";
    out += (first ? "" : ", ") + piece_of(columns[i]);
  }
  return out.empty() ? "''" : out + ")";
}

// Hashed bit by bit: the hashes of eight bytes as a number or a time are those of half of them.
// What has no hash of its own, or one that knows less than the text, goes by its text.
std::string hashed_form_of(const LineColumn& column) {
  std::string value = "t." + quote_identifier(column.name);
  switch (column.kind) {
    case Kind::integer:
      return "int8send(" + value + "::int8)";
    case Kind::timestamp:
      return "timestamp_send(" + value + "::timestamp)";
    case Kind::timestamp_with_zone:
      return "timestamptz_send(" + value + "::timestamptz)";
    case Kind::boolean:
    case Kind::bytes:
    case Kind::date:
    case Kind::uuid:
      return value;
    default:
      return value + "::text COLLATE \"C\"";
  }
}

std::string hashed_forms_of(const std::vector<LineColumn>& columns) {
  std::string out;
  for (const LineColumn& column : columns) {
    out += (out.empty() ? "" : ", ") + hashed_form_of(column);
  }
  return out;
}

std::string placeholders(const Table& table, const KeyValues& key, int before,
                         Parameters& parameters) {
  if (key.size() != table.key.size()) {
    throw Error(Code::invalid_argument,
                "the place does not fit the key of table " + quote_identifier(table.name));
  }
  std::string out;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto* column = table.find(table.key[i]);
    if (!column) throw Error(Code::invalid_argument, "the key has a column that the table has not");
    out += (i == 0 ? "$" : ", $") + std::to_string(before + 1 + static_cast<int>(i)) +
           "::text::" + column->type;
    parameters.text(key[i]);
  }
  return "(" + out + ")";
}

tables::Digest ask(Connection& connection, std::string_view sql, const Pieces::value_type& what,
                   const Table& table, const std::string& condition, const KeyRange& range,
                   const Call& call) {
  Parameters parameters;
  const std::string conditions = lies_in(table, range, 0, parameters) + condition;
  const std::string text = compose(sql, {what,
                                         {"{keys}", list_of(table.key, "t.")},
                                         {"{rows}", rows_of(connection.schema(), table)},
                                         {"{conditions}", conditions}});
  const Result rows = run_once(connection, text, std::move(parameters), call);
  return {static_cast<std::uint64_t>(rows.integer(0, 0)), rows.text(0, 1)};
}

}  // namespace

std::string lies_in(const Table& table, const KeyRange& range, int before, Parameters& parameters) {
  const std::string key = "(" + list_of(table.key, "t.") + ")";
  std::string out = "true";
  if (!range.after.empty()) {
    out += " AND " + key + " > " + placeholders(table, range.after, before, parameters);
    before += static_cast<int>(range.after.size());
  }
  if (!range.last.empty()) {
    out += " AND " + key + " <= " + placeholders(table, range.last, before, parameters);
  }
  return out;
}

tables::Digest digest_of(Connection& connection, const Table& table,
                         const std::vector<LineColumn>& columns, const std::string& condition,
                         const KeyRange& range, const Call& call) {
  return ask(connection, sql::tables_digest, {"{text}", text_of(columns)}, table, condition, range,
             call);
}

tables::Digest hashed_digest_of(Connection& connection, const Table& table,
                                const std::vector<LineColumn>& columns,
                                const std::string& condition, const KeyRange& range,
                                const Call& call) {
  return ask(connection, sql::tables_digest_values, {"{values}", hashed_forms_of(columns)}, table,
             condition, range, call);
}

std::optional<KeyValues> find_key_after(Connection& connection, const Table& table,
                                        const KeyValues& after, std::uint64_t rows,
                                        const Call& call) {
  Parameters parameters;
  parameters.bigint(static_cast<std::int64_t>(rows));
  const KeyRange beyond{after, {}};
  const std::string conditions = lies_in(table, beyond, 1, parameters);
  std::string texts;
  for (const std::string& column : table.key) {
    texts += (texts.empty() ? "t." : ", t.") + quote_identifier(column) + "::text";
  }
  const std::string text =
      compose(sql::tables_key_after, {{"{texts}", texts},
                                      {"{rows}", rows_of(connection.schema(), table)},
                                      {"{conditions}", conditions},
                                      {"{keys}", list_of(table.key, "t.")}});
  const Result found = run_once(connection, text, std::move(parameters), call);
  if (found.empty()) return {};
  KeyValues key;
  key.reserve(table.key.size());
  for (int i = 0; i < found.columns(); ++i) key.push_back(found.text(0, i));
  return key;
}

}  // namespace threadkeep::postgres
