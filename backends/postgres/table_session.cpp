// SPDX-License-Identifier: Apache-2.0
#include "table_session.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "postgres/sql.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

constexpr std::chrono::seconds time_to_clean_up{2};

template <class Text>
std::string joined(const std::vector<std::string>& names, std::string_view separator, Text text) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += separator;
    out += text(quote_identifier(name));
  }
  return out;
}

[[noreturn]] void refuse_pooler() {
  throw Error(Code::unsupported,
              "copying tables needs sessions of its own, and a pooler is between; give the "
              "server's own address with direct_url=");
}

}  // namespace

std::unique_ptr<Connection> open_table_session(const Settings& settings, const Call& call) {
  auto connection = std::make_unique<Connection>(for_setup(settings), call);
  static const Statement statement{std::string(sql::tables_session)};
  Parameters parameters;
  parameters.text(connection->schema());
  // Behind a pooler the settings would stay with another's session, so they end with the
  // transaction, which is rolled back.
  const bool pooled = connection->pooled();
  if (pooled) run_once(*connection, "BEGIN", call);
  const Result result = connection->run(statement, std::move(parameters), Effect::none, call);
  const int last = result.columns() - 1;
  const bool embedded = result.boolean(0, last);
  if (pooled) run_once(*connection, embedded ? "COMMIT" : "ROLLBACK", call);
  if (pooled && !embedded) refuse_pooler();
  if (!result.boolean(0, last - 1)) {
    throw Error(Code::invalid_argument, "there is no schema " +
                                            quote_identifier(connection->schema()) +
                                            "; create it, or name another by ?schema=");
  }
  return connection;
}

bool is_about_structure(std::string_view state) noexcept {
  return state.starts_with("42") && state != "42501";
}

Error changed_meanwhile(const PGresult* refusal) {
  const char* said = PQresultErrorField(refusal, PG_DIAG_MESSAGE_PRIMARY);
  return Error(Code::conflict,
               std::string(said ? said : "a table is not as it was") +
                   "; the tables were changed since they were described: try again",
               state_of(refusal));
}

Result run_once(Connection& connection, std::string sql, Parameters parameters, const Call& call) {
  const Statement statement(std::move(sql));
  const Request request{&statement, std::move(parameters), true};
  return explain_changes(connection, [&] {
    return connection.run({&request, 1}, Effect::none, call).front();
  });
}

// Constraints that may wait are checked at once, so that they name the row that breaks them.
TableTransaction::TableTransaction(Connection& connection, const Call& call)
    : connection_(connection), own_(!connection.in_transaction()) {
  if (!own_) return;
  static const Statement begin("BEGIN");
  static const Statement check("SET CONSTRAINTS ALL IMMEDIATE");
  std::array<Request, 2> requests;
  requests[0].statement = &begin;
  requests[1].statement = &check;
  connection.run(requests, Effect::none, call);
}

TableTransaction::~TableTransaction() {
  if (own_) roll_back(connection_);
}

void TableTransaction::commit(const Call& call) {
  if (!own_) return;
  static const Statement commit("COMMIT");
  connection_.run(commit, {}, Effect::commit, call);
}

void find_by_index(Connection& connection, const Call& call) {
  static const Statement statement(
      "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', "
      "true),"
      " set_config('enable_mergejoin', 'off', true)");
  connection.run(statement, {}, Effect::none, call);
}

void roll_back(Connection& connection) noexcept {
  if (connection.broken() || !connection.in_transaction()) return;
  try {
    static const Statement rollback("ROLLBACK");
    const Call call{.deadline = Deadline::after(time_to_clean_up), .stop = {}};
    connection.run(rollback, {}, Effect::none, call);
  } catch (const std::exception&) {
    // The connection is broken now, and the server rolls back by itself.
  }
}

std::string qualified(std::string_view schema, std::string_view table) {
  return quote_identifier(schema) + "." + quote_identifier(table);
}

std::string rows_of(std::string_view schema, const tables::Table& table) {
  return (table.partitioned ? "" : "ONLY ") + qualified(schema, table.name);
}

std::string list_of(const std::vector<std::string>& columns, std::string_view prefix) {
  return joined(columns, ", ", [&](const std::string& name) { return std::string(prefix) + name; });
}

std::string match(const std::vector<std::string>& columns, std::string_view left,
                  std::string_view right) {
  return joined(columns, " AND ", [&](const std::string& name) {
    return std::string(left) + name + " = " + std::string(right) + name;
  });
}

std::string compose(std::string_view text, const Pieces& pieces) {
  std::string out;
  while (!text.empty()) {
    const auto piece = std::find_if(pieces.begin(), pieces.end(),
                                    [&](const auto& each) { return text.starts_with(each.first); });
    const bool found = piece != pieces.end();
    out += found ? std::string_view(piece->second) : text.substr(0, 1);
    text.remove_prefix(found ? piece->first.size() : 1);
  }
  return out;
}

std::vector<std::string> texts_of(const std::string& json) {
  return nlohmann::json::parse(json).get<std::vector<std::string>>();
}

}  // namespace threadkeep::postgres
