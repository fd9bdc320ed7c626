// SPDX-License-Identifier: Apache-2.0
#include "table_checks.hpp"

#include <optional>
#include <string>
#include <utility>

#include "postgres/sql.hpp"
#include "table_session.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

using tables::ForeignKey;
using tables::Orphans;
using tables::SequenceBehind;
using tables::Table;

/// A sequence that would give a value that is taken.
struct LateSequence {
  std::string sequence;  // quoted
  SequenceBehind behind;
  std::int64_t wanted = 0;
};

struct Sequence {
  std::string column;
  std::string name;  // quoted
  std::int64_t step = 0;
  std::int64_t least = 0;
  std::int64_t greatest = 0;
};

std::vector<Sequence> sequences_of(Connection& connection, const Table& table, const Call& call) {
  Parameters parameters;
  parameters.text(connection.schema()).text(table.name);
  const Result rows =
      run_once(connection, std::string(sql::tables_sequences), std::move(parameters), call);
  std::vector<Sequence> sequences;
  sequences.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    sequences.push_back({rows.text(row, 0), qualified(rows.view(row, 1), rows.view(row, 2)),
                         rows.integer(row, 3), rows.integer(row, 4), rows.integer(row, 5)});
  }
  return sequences;
}

// Tables that inherit from this one take values from its sequences too, so all rows count.
std::optional<LateSequence> look_at(Connection& connection, const Table& table,
                                    const Sequence& sequence, const Call& call) {
  const std::string text =
      compose(sql::tables_sequence_state, {{"{column}", quote_identifier(sequence.column)},
                                           {"{table}", qualified(connection.schema(), table.name)},
                                           {"{sequence}", sequence.name}});
  Parameters parameters;
  parameters.bigint(sequence.step).bigint(sequence.least).bigint(sequence.greatest);
  const Result rows = run_once(connection, text, std::move(parameters), call);
  if (rows.empty()) return {};
  return LateSequence{sequence.name,
                      {table.name, sequence.column, rows.text(0, 0), rows.text(0, 1)},
                      rows.integer(0, 2)};
}

std::vector<LateSequence> late_sequences(Connection& connection, const Table& table,
                                         const Call& call) {
  std::vector<LateSequence> late;
  for (const Sequence& sequence : sequences_of(connection, table, call)) {
    if (auto found = look_at(connection, table, sequence, call)) late.push_back(std::move(*found));
  }
  return late;
}

std::string all_there(const ForeignKey& key) {
  std::string out;
  for (const std::string& column : key.columns) {
    out += (out.empty() ? "t." : " AND t.") + quote_identifier(column) + " IS NOT NULL";
  }
  return out;
}

std::string points_to(const ForeignKey& key) {
  std::string out;
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    out += (i == 0 ? "p." : " AND p.") + quote_identifier(key.target_columns.at(i)) + " = t." +
           quote_identifier(key.columns[i]);
  }
  return out;
}

// A foreign key sees the rows of the very table, and of all partitions.
std::string target_of(Connection& connection, const Table& table, const ForeignKey& key,
                      const Call& call) {
  Parameters parameters;
  parameters.text(connection.schema()).text(table.name).text(key.name);
  const Result rows = run_once(connection, std::string(sql::tables_foreign_key_targets),
                               std::move(parameters), call);
  if (rows.empty()) {
    throw Error(Code::conflict, "foreign key " + quote_identifier(key.name) + " of table " +
                                    quote_identifier(table.name) + " is gone; try again");
  }
  return (rows.boolean(0, 2) ? "" : "ONLY ") + qualified(rows.view(0, 0), rows.view(0, 1));
}

}  // namespace

std::uint64_t advance_sequences(Connection& connection, const Table& table, const Call& call) {
  TableTransaction transaction(connection, call);
  const auto late = late_sequences(connection, table, call);
  for (const LateSequence& each : late) {
    Parameters parameters;
    parameters.text(each.sequence).bigint(each.wanted);
    run_once(connection, "SELECT setval($1::text::regclass, $2::bigint)", std::move(parameters),
             call);
  }
  transaction.commit(call);
  return late.size();
}

std::vector<SequenceBehind> find_sequences_behind(Connection& connection, const Table& table,
                                                  const Call& call) {
  std::vector<SequenceBehind> behind;
  for (LateSequence& each : late_sequences(connection, table, call)) {
    behind.push_back(std::move(each.behind));
  }
  return behind;
}

std::vector<Orphans> find_orphans(Connection& connection, const Table& table, const Call& call) {
  std::vector<Orphans> found;
  for (const ForeignKey& key : table.foreign_keys) {
    const std::string text =
        compose(sql::tables_orphans, {{"{rows}", rows_of(connection.schema(), table)},
                                      {"{all_there}", all_there(key)},
                                      {"{target}", target_of(connection, table, key, call)},
                                      {"{points_to}", points_to(key)}});
    const auto rows = run_once(connection, text, call).integer(0, 0);
    if (rows > 0) found.push_back({table.name, key, static_cast<std::uint64_t>(rows)});
  }
  return found;
}

}  // namespace threadkeep::postgres
