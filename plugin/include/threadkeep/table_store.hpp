// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "threadkeep/call.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/migration_lock.hpp"
#include "threadkeep/table_model.hpp"
#include "threadkeep/table_undo.hpp"

/// \file
/// A database seen as tables of rows, so that whole applications can be copied from one engine to
/// another: a snapshot to read from, and a writer that puts batches into existing tables. What is
/// to be copied, in which order, and what is reported, is the caller's business (migration/tier).
///
/// Rows travel as text in the format of Postgres' COPY: a line for each row, columns separated by
/// tabs, `\N` for NULL, and backslash escapes. Values are in the canonical text of their Kind:
/// `t` and `f`, numbers in digits, `\x` and hexadecimal digits for bytes, ISO 8601 times (with
/// `+00` where there is a zone), `[1,2,3]` for vectors, and what the engine prints for `other`.
///
/// Errors are those of Backend: threadkeep::Error. Objects of one database may be used by one
/// thread each at a time; a Snapshot and a Writer work at the same time. They hold connections of
/// their own and outlive nothing: destroy them before their Database.

namespace threadkeep::tables {

/// A position in a table: opaque, made by the source that reads it. Empty: before the first row.
using Cursor = std::string;

/// A part of a table.
struct Batch {
  std::string lines;       ///< Complete lines.
  std::uint64_t rows = 0;  ///< At least one.
  Cursor end;              ///< Where the next batch begins, in this run and in another.
};

/// One column of the lines: what it is called and what its values are where they come from.
struct LineColumn {
  std::string name;
  Kind kind = Kind::other;
};

/// The rows of one table in the order of its key, from a Snapshot.
class RowReader {
 public:
  virtual ~RowReader() = default;
  /// The next rows: no more than `max_rows`, and no more after `max_bytes` were reached. Absent
  /// after the last. Memory is bounded by `max_bytes` and one row.
  virtual std::optional<Batch> next(std::uint64_t max_rows, std::size_t max_bytes,
                                    const Call& call) = 0;
};

/// Values of a key in their canonical texts, in the order of its columns. Empty: no row.
using KeyValues = std::vector<std::string>;

/// Rows by their key: those after `after`, which is not one of them, until `last`, which is. Where
/// one of them is empty there is no end on that side.
struct KeyRange {
  KeyValues after;
  KeyValues last;

  bool has_end() const noexcept { return !after.empty() || !last.empty(); }
};

/// What rows hold, in a few bytes.
struct Digest {
  std::uint64_t rows = 0;
  /// The SHA-256 in hexadecimal digits of the pieces of all rows in the order of the key; empty for
  /// no row. A piece is the row's text, in UTF-8; or where that has more than 2000 bytes, `#` and
  /// the SHA-256 of it. The text of a row are those of its columns: of text, json, vector and other
  /// the number of its bytes, `:` and the value, and `:` alone for NULL; of other kinds the value,
  /// nothing for NULL, and `;`.
  std::string sha256;

  bool operator==(const Digest&) const = default;
};

/// All tables as of one moment.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual std::uint64_t count(const Table& table, const Call& call) = 0;
  /// Rows where a column of `Kind` time lies in the past, for skip lists of expired rows.
  virtual std::uint64_t count_expired(const Table& table, const std::string& column,
                                      const Call& call) = 0;
  struct Selection {
    std::vector<std::string> columns;
    Cursor from;                                 ///< After this place.
    std::optional<std::string> without_expired;  ///< Leaves out rows whose time in this column
                                                 ///< has passed.
    std::optional<std::uint64_t> limit = {};     ///< No more rows than these.
    /// A reference of rows to rows of the same table.
    struct Tree {
      std::vector<std::string> columns;
      std::vector<std::string> target_columns;  ///< No two rows have the same values there.
      /// False: rows after those that they refer to, by levels, instead of the order of the key;
      /// those that refer to nothing or to themselves are the first. True: all others, which are
      /// in a circle, or below one, or refer to a row that is not there.
      bool others = false;
    };
    std::optional<Tree> tree = {};  ///< Without `from` and `limit`.
  };
  /// Rows that these columns do not name: one of them is NULL, or an earlier row has the same
  /// values.
  virtual std::uint64_t count_unnamed(const Table& table, const std::vector<std::string>& columns,
                                      const Call& call) = 0;
  /// One reader at a time. The lines have the selected columns in their order.
  virtual std::unique_ptr<RowReader> read(const Table& table, Selection selection,
                                          const Call& call) = 0;

  /// Another one of the same moment, for another thread. Where engines have no such, an error.
  virtual std::unique_ptr<Snapshot> same_moment(const Call& call);
  /// Begins again, as of now. No reader is left.
  virtual void renew(const Call& call) = 0;
  /// Whether a table may have other rows than before renew(), when it had `rows` of them. In doubt
  /// it has.
  virtual bool may_have_changed(const Table& table, std::uint64_t rows, const Call& call) = 0;

  /// Whether digest() and its like can be called.
  virtual bool has_digests() const noexcept { return false; }
  /// How this server hashes values, in a word: two that say the same make equal digests of equal
  /// values. Empty where it cannot.
  virtual std::string value_hashes() const { return {}; }
  /// The columns of a digest, and what their values are taken for.
  struct DigestColumns {
    std::vector<LineColumn> columns;
    std::optional<std::string> without_expired;
    /// The SHA-256 is that of the server's own hashes of the rows, 64 bits each: made at less than
    /// half the cost. Only where value_hashes() says how.
    bool of_values = false;
  };
  /// Of the rows of a range. No row leaves the server.
  virtual Digest digest(const Table& table, const DigestColumns& columns, const KeyRange& range,
                        const Call& call);
  /// The key of the row that is `rows` after another. Absent where fewer are left.
  virtual std::optional<KeyValues> key_after(const Table& table, const KeyValues& after,
                                             std::uint64_t rows, const Call& call);
  /// Where read() begins with the row after this one.
  virtual Cursor cursor_after(const KeyValues& key) const;
};

/// Counts of what became of rows.
struct Counts {
  std::uint64_t inserted = 0;
  std::uint64_t updated = 0;
  std::uint64_t unchanged = 0;  ///< Equal rows, neither locked nor written.
  std::uint64_t kept = 0;       ///< The target's row is newer, by the guard.
  std::uint64_t rejected = 0;

  std::uint64_t rows() const noexcept { return inserted + updated + unchanged + kept + rejected; }
  Counts& operator+=(const Counts& more) noexcept {
    inserted += more.inserted;
    updated += more.updated;
    unchanged += more.unchanged;
    kept += more.kept;
    rejected += more.rejected;
    return *this;
  }
  bool operator==(const Counts&) const = default;
};

/// A row that the target does not take.
struct Reject {
  std::string table;
  std::string line;     ///< As it came.
  std::string code;     ///< SQLSTATE, or SQLite's name of the result.
  std::string message;  ///< Names the constraint or column. May hold values of the row.
};

/// How the rows of one table are written.
struct Target {
  Table table;                      ///< As the target has it.
  std::vector<LineColumn> columns;  ///< What the lines hold; columns of `table`.
  std::vector<std::string> update;  ///< Those that an existing row takes over. Never of the key.
  /// Columns of `table` that a new row gets as NULL whatever their default: links of a cycle, which
  /// a later pass sets.
  std::vector<std::string> nulls;
  /// The column that says which of two rows is newer (`updated_at`, `version`): an existing row
  /// is only changed where its value is not greater. It is in `columns`.
  std::optional<std::string> guard;
  /// Says it where two rows are equal in `guard`. It is in `columns` too.
  std::optional<std::string> second_guard = {};
  enum class Mode {
    upsert,
    insert_once,  ///< Without key: all rows are new; for a table that is empty.
    /// Sets the columns of `update` of rows that are there; others stay. Of newer ones, those that
    /// an earlier pass has left: `update` is NULL, and all other columns are equal.
    update_only,
  };
  Mode mode = Mode::upsert;
  /// Each row that is written is noted in the target, with what it holds then and in the same
  /// transaction, so that the run can be undone.
  bool log = false;
};

/// The fields of a line that are the key of its row, for finding the row again: one text in ASCII,
/// the same for equal fields. Empty where the table has no key.
std::string key_of(const Target& target, std::string_view line);

/// What one run has done to one table, kept in the target with the rows.
struct TableProgress {
  std::string table;
  int pass = 1;  ///< 2: links of a cycle.
  Cursor cursor;
  bool done = false;
  Counts counts;
};

/// A run as the target remembers it.
struct Run {
  std::string id;
  std::string source;           ///< Where from, without secrets; the same place has the same text.
  std::string plan_hash;        ///< Of everything that decides what is copied.
  std::int64_t started_at = 0;  ///< Microseconds since 1970 UTC.
  std::optional<std::int64_t> finished_at;
  std::vector<TableProgress> tables;
};

/// Differences between the lines and the target's rows.
struct Differences {
  std::uint64_t missing = 0;    ///< In the lines, not in the target.
  std::uint64_t different = 0;  ///< In both, not equal.
  std::uint64_t extra = 0;      ///< In the target only.
  std::uint64_t newer = 0;      ///< Of `different`, those of which the target's row is newer.
  /// Keys of the first of them, as text: `missing (7)`, `different (7): name, updated_at`.
  std::vector<std::string> examples;

  std::uint64_t total() const noexcept { return missing + different + extra; }
};

/// Compares one table's rows with what a source has, batch by batch.
class Comparison {
 public:
  virtual ~Comparison() = default;
  virtual void add(const Batch& batch, const Call& call) = 0;
  /// After the last batch: the rows that only the target has are counted now.
  virtual Differences finish(const Call& call) = 0;
};

/// Rows that point to nothing.
struct Orphans {
  std::string table;
  ForeignKey key;
  std::uint64_t rows = 0;
};

/// A sequence (identity, serial, AUTOINCREMENT) whose next value is taken already.
struct SequenceBehind {
  std::string table;
  std::string column;
  std::string next;     ///< The value it would give.
  std::string highest;  ///< The greatest value of the column.
};

/// Puts rows into tables. Every function that writes is one transaction.
class Writer {
 public:
  virtual ~Writer() = default;

  /// The run that was not finished, if there is one. Creates nothing.
  virtual std::optional<Run> unfinished_run(const Call& call) = 0;
  /// Creates the tables of runs where they are missing and writes down the run.
  virtual void begin_run(const Run& run, const Call& call) = 0;
  virtual void finish_run(const std::string& run_id, const Call& call) = 0;
  /// What key_of() says of the rows of a table that a run has rejected.
  virtual std::vector<std::string> rejected_keys(const std::string& run_id,
                                                 const std::string& table, const Call& call) = 0;

  using OnReject = std::function<void(const Reject&)>;
  /// Writes the rows of a batch and, in the same transaction, `progress` with the counts of this
  /// batch added (to `progress` too). Values are cast to the types of the target before they are
  /// compared; equal rows are not touched. A row that breaks a constraint or has a value that does
  /// not fit is found, handed to `reject` before the transaction commits, and left out; at more
  /// than `max_rejects` of them the batch is given up with Error(invalid_argument) and nothing of
  /// it is written. The keys of rows that are left out are written with the batch. A batch that has
  /// the same key twice rejects the second row.
  virtual Counts write(const Target& target, const Batch& batch, const std::string& run_id,
                       TableProgress& progress, std::uint64_t max_rejects, const OnReject& reject,
                       const Call& call) = 0;
  /// Everything until end_group() is one transaction, with deferrable constraints checked at its
  /// end: for cycles that no NULL can break, and for tables that must be written as a whole.
  virtual void begin_group(const Call& call) = 0;
  virtual void end_group(const Call& call) = 0;
  virtual void mark_done(const std::string& run_id, TableProgress& progress, const Call& call) = 0;

  /// Moves sequences past the values of their columns; how many moved.
  virtual std::uint64_t advance_sequences(const Table& table, const Call& call) = 0;

  virtual std::unique_ptr<Comparison> compare(const Target& target, const Call& call) = 0;
  /// Of the rows of a range only. Where snapshots have digests.
  virtual std::unique_ptr<Comparison> compare_range(const Target& target, const KeyRange& range,
                                                    const Call& call);
  virtual std::vector<Orphans> orphans(const Table& table, const Call& call) = 0;
  virtual std::vector<SequenceBehind> sequences_behind(const Table& table, const Call& call) = 0;
};

inline Digest Snapshot::digest(const Table& /*table*/, const DigestColumns& /*columns*/,
                               const KeyRange& /*range*/, const Call& /*call*/) {
  throw Error(Code::unsupported, "this engine makes no digests");
}

inline std::unique_ptr<Snapshot> Snapshot::same_moment(const Call& /*call*/) {
  throw Error(Code::unsupported, "this engine does not share the moment of a snapshot");
}

inline std::optional<KeyValues> Snapshot::key_after(const Table& /*table*/,
                                                    const KeyValues& /*after*/,
                                                    std::uint64_t /*rows*/, const Call& /*call*/) {
  throw Error(Code::unsupported, "this engine makes no digests");
}

inline Cursor Snapshot::cursor_after(const KeyValues& /*key*/) const {
  throw Error(Code::unsupported, "this engine makes no digests");
}

inline std::unique_ptr<Comparison> Writer::compare_range(const Target& /*target*/,
                                                         const KeyRange& /*range*/,
                                                         const Call& /*call*/) {
  throw Error(Code::unsupported, "this engine makes no digests");
}

/// What a Postgres server can do with vectors.
enum class VectorSupport {
  installed,
  available,      ///< The library is there; CREATE EXTENSION vector is missing, and allowed.
  no_permission,  ///< The same, but this role may not create it.
  no_library,
};

struct DatabaseInfo {
  std::string engine;   ///< "sqlite", "postgres", "pglite".
  std::string version;  ///< "15.6"
  /// Two URLs of the same database have the same text: system identifier, database and schema, or
  /// the device and inode of a file.
  std::string identity;
  std::string place;  ///< For people, without a password.
  VectorSupport vectors = VectorSupport::no_library;
  bool in_recovery = false;  ///< A standby: can be read only.
  /// It has the tables of a threadkeep store, or those of LangGraph's saver that a store adopts.
  bool has_store = false;
};

/// A database of an application.
class Database {
 public:
  virtual ~Database() = default;
  virtual DatabaseInfo info(const Call& call) = 0;
  virtual Schema describe(const Call& call) = 0;
  /// Reads only; leaves nothing behind.
  virtual std::unique_ptr<Snapshot> snapshot(const Call& call) = 0;
  /// Of a target. Nothing is created before begin_run().
  virtual std::unique_ptr<Writer> writer(const Call& call) = 0;
  /// What a run, finished or not, has written. Throws Error(invalid_argument) that names the runs
  /// of the target where it has none of this id.
  virtual std::unique_ptr<RunUndo> undo(const std::string& run_id, const Call& call) = 0;
  /// Waits for no longer than `patience`, telling `waiting` about the holder now and then. Throws
  /// Error(unavailable) that names the holder, with lock_held as its native code.
  virtual std::unique_ptr<MigrationLock> lock(std::chrono::milliseconds patience,
                                              const OnWaiting& waiting, const Call& call) = 0;
};

/// Error::native() where there is no file of that name.
inline constexpr std::string_view no_file = "no_file";

/// Opens the database that a store's URL names (`postgresql://`, `sqlite:`) as tables. A file must
/// exist. Throws Error(unsupported) for other schemes, Error(unavailable) with no_file as its
/// native code.
std::unique_ptr<Database> open_database(std::string_view url, const Call& call);

}  // namespace threadkeep::tables
