// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "table_row_log.hpp"
#include "table_rows.hpp"

namespace threadkeep::sqlite {

/// Puts rows into a table one by one. The connection is in a transaction that writes, so nothing
/// changes between the look at a row and its change.
class RowWriter {
 public:
  /// `absent`: there is no such row to update.
  enum class Outcome { inserted, updated, unchanged, kept, absent };

  /// Where the target has a log, rows are noted as those of `run_id`.
  RowWriter(Connection& connection, const tables::Target& target, std::string run_id);

  /// The row of a line becomes a row of the table, or `failure` says why not.
  Outcome write(std::string_view line, std::optional<RowFailure>& failure);

  /// Of a row that is written: the first reference whose row is not there.
  std::optional<RowFailure> broken_reference(std::string_view line);

  /// Forgets the keys that were written: a new batch begins, or the last one was undone.
  void start_batch() { keys_.clear(); }

 private:
  struct Reference {
    std::vector<std::size_t> places;  // Of its columns in the lines.
    std::string find;
    std::string message;
  };

  void add_reference(const tables::ForeignKey& key);
  Outcome write_row(std::optional<RowFailure>& failure);
  Outcome other_key(std::optional<RowFailure>& failure) const;
  Outcome change_row(bool kept, std::optional<RowFailure>& failure);
  Outcome insert_row(std::optional<RowFailure>& failure);
  bool note_key(const Rows& rows, int first_column);
  void note_row(const Rows& rows, int first_column);
  void log_row(Outcome outcome);

  Connection& connection_;
  const tables::Target& target_;
  RowParser parser_;
  RowSql sql_;
  std::string find_;
  std::string insert_;
  std::string update_;
  std::vector<Reference> references_;
  std::unordered_set<std::string> keys_;
  const std::string run_id_;
  std::optional<RowLog> log_;
  std::vector<OwnedValue> row_;  // The key of the row that was written, where it is to be noted.
};

}  // namespace threadkeep::sqlite
