// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "threadkeep/call.hpp"
#include "threadkeep/table_model.hpp"

/// \file
/// Taking back what a run of a migration has written, by the log of its rows (Target::log).

namespace threadkeep::tables {

/// What has become of the rows of one table that a run has written.
struct WrittenRows {
  std::uint64_t unchanged = 0;  ///< Put in by the run, and as it wrote them: can be deleted.
  std::uint64_t changed = 0;    ///< Put in by the run, and changed by others since.
  std::uint64_t gone = 0;       ///< Put in by the run, and deleted since.
  std::uint64_t updated = 0;    ///< Were there before the run, which changed them.

  bool operator==(const WrittenRows&) const = default;
};

/// A row that the run has written and that is not deleted.
struct StayingRow {
  bool updated = false;  ///< By the run; else it put the row in, and others changed it.
  std::string key;       ///< For people: "7, member"
};

/// Rows that stay and refer to rows that would be deleted.
struct Referrers {
  std::string table;
  std::vector<std::string> columns;
  std::string target;  ///< What they refer to.
  std::uint64_t rows = 0;
};

/// Deletes the rows that a run has put in and that nobody has changed since. It has a connection of
/// its own, must not outlive its Database, and is used by one thread at a time. Throws Error.
class RunUndo {
 public:
  virtual ~RunUndo() = default;

  /// The tables of which rows are noted, by name; none where the run was not told to note them.
  virtual std::vector<std::string> logged_tables(const Call& call) = 0;

  /// Compares the rows of a table with what the run wrote, and tells each that stays, updated ones
  /// too. Changes nothing. Comes first for every table; what follows deals with what it has found.
  virtual WrittenRows look(const Table& table, const std::function<void(const StayingRow&)>& stays,
                           const Call& call) = 0;
  /// Rows that stay, of whatever table, and refer to rows of this one that are to be deleted.
  virtual std::vector<Referrers> referrers(const Table& table, const Call& call) = 0;

  /// Makes these columns NULL in the rows that are to be deleted, in one transaction, so that
  /// tables of a cycle can be emptied one after the other.
  virtual void unlink(const Table& table, const std::vector<std::string>& columns,
                      const Call& call) = 0;
  /// Deletes the next rows, of no more than `max_rows` that the run has put in, in one transaction:
  /// how many. Absent after the last. Throws Error(conflict), and deletes none of them, where other
  /// rows have come to refer to them.
  virtual std::optional<std::uint64_t> remove(const Table& table, std::uint64_t max_rows,
                                              const Call& call) = 0;
  /// What is deleted between these is one transaction, with deferrable constraints checked at its
  /// end.
  virtual void begin_group(const Call& call) = 0;
  virtual void end_group(const Call& call) = 0;

  /// Forgets the run: it can neither be gone on with nor undone.
  virtual void forget(const Call& call) = 0;
};

}  // namespace threadkeep::tables
