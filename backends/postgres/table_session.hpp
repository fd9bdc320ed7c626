// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connection.hpp"
#include "settings.hpp"
#include "template.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/table_model.hpp"

/// \file
/// What reading and writing application tables shares: a connection on which both sides write
/// values in one form, transactions on it, and the texts of statements.

namespace threadkeep::postgres {

/// A connection of its own, past a pooler by `direct_url`. Throws Error: `unsupported` when a
/// pooler is between nevertheless, `invalid_argument` when there is no such schema.
std::unique_ptr<Connection> open_table_session(const Settings& settings, const Call& call);

/// That a statement names what is not there: a table, a column, a type.
bool is_about_structure(std::string_view state) noexcept;
/// The error that says so.
Error changed_meanwhile(const PGresult* refusal);

/// Carries out `work`, and says of a statement that does not fit the tables any more what that
/// means here: somebody has changed them.
template <class Work>
auto explain_changes(const Connection& connection, Work work) {
  try {
    return work();
  } catch (const Error& error) {
    if (!connection.last_refusal() || !is_about_structure(error.native())) throw;
    throw changed_meanwhile(connection.last_refusal());
  }
}

/// One statement that is rarely the same, whose parameters stand in `parameters`.
Result run_once(Connection& connection, std::string sql, Parameters parameters, const Call& call);
inline Result run_once(Connection& connection, std::string sql, const Call& call) {
  return run_once(connection, std::move(sql), {}, call);
}

/// A transaction, or nothing where one is open already (a group). Rolled back unless committed.
class TableTransaction {
 public:
  TableTransaction(Connection& connection, const Call& call);
  ~TableTransaction();
  TableTransaction(const TableTransaction&) = delete;
  TableTransaction& operator=(const TableTransaction&) = delete;

  void commit(const Call& call);

 private:
  Connection& connection_;
  const bool own_;
};

/// For the rest of the transaction rows are found by an index, one after the other: a batch is
/// small beside a table that grows with each of them, and the planner knows the table of yesterday.
void find_by_index(Connection& connection, const Call& call);

/// Rolls back what is open, if the connection still works.
void roll_back(Connection& connection) noexcept;

/// `"schema"."table"`
std::string qualified(std::string_view schema, std::string_view table);
/// What names the rows of a table and not those of others that inherit from it.
std::string rows_of(std::string_view schema, const tables::Table& table);

/// `"a", "b"`, or `s."a", s."b"`.
std::string list_of(const std::vector<std::string>& columns, std::string_view prefix = {});
/// `t."a" = s."a" AND t."b" = s."b"`
std::string match(const std::vector<std::string>& columns, std::string_view left,
                  std::string_view right);

/// The text of a template of sql/ with pieces for the names in it. Unlike fill() it leaves the
/// pieces as they are, whatever a column is called.
std::string compose(std::string_view text, const Pieces& pieces);

/// A JSON array of texts, as array_to_json() makes it.
std::vector<std::string> texts_of(const std::string& json);

}  // namespace threadkeep::postgres
