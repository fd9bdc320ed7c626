// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "error_map.hpp"
#include "handle.hpp"
#include "threadkeep/backend.hpp"
#include "threadkeep/bytes.hpp"
#include "threadkeep/call.hpp"
#include "value.hpp"

struct sqlite3_stmt;

namespace threadkeep::sqlite {

/// What the URL of a store says.
struct Settings {
  std::string path;  ///< Absolute.
  std::chrono::milliseconds busy{5000};
  bool full_sync = true;
  FirstUse first_use = FirstUse::creates;  ///< Not of the URL.
};

class Connection;

/// The rows of a statement that is under way. Resets the statement when it goes; what it was given
/// as parameters must live until then. Columns count from 0.
class Rows {
 public:
  Rows(Connection& connection, sqlite3_stmt* statement) noexcept
      : connection_(connection), statement_(statement) {}
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  /// Goes to the next row; false after the last one. Throws Error.
  bool next();

  /// Valid until next() or the end of this.
  std::string_view view(int column) const noexcept;
  std::string text(int column) const { return std::string(view(column)); }
  std::optional<std::string> optional_text(int column) const;
  std::int64_t integer(int column) const noexcept;
  Bytes bytes(int column) const;
  /// As it is stored; texts in UTF-8 whatever the file's encoding is. Valid as view() is.
  Value value(int column) const noexcept;

 private:
  Connection& connection_;
  sqlite3_stmt* statement_;
};

/// A connection to the file: a handle, its prepared statements, and the deadline and stop token of
/// the call that it works for. Used by one thread at a time.
///
/// Statements are prepared once for each text and kept, so texts must come from a bounded set.
/// Waiting for locks ends after Settings::busy, and all work ends when the call's time is up.
class Connection {
 public:
  /// `source`: reads a file of another program, and leaves it and the files beside it as they are
  /// where SQLite can do that.
  enum class Purpose { read, write, source };
  enum class Missing { create, fail };

  /// Opens the file and works for `call` from then on. Throws Error.
  Connection(const Settings& settings, Purpose purpose, Missing missing, const Call& call);
  ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Between the two, this works for `call`, which must live as long.
  void start(const Call& call) noexcept;
  void finish() noexcept;

  /// Starts a statement with its parameters. Each statement can be under way once.
  template <class... Parameters>
  Rows query(std::string_view sql, const Parameters&... parameters) {
    sqlite3_stmt* statement = prepare(sql);
    int index = 0;
    (bind(statement, ++index, parameters), ...);
    return Rows(*this, statement);
  }

  /// As query, for a statement that was put together of parts.
  Rows query_with(std::string_view sql, const std::vector<std::string_view>& parameters);
  Rows query_values(std::string_view sql, std::span<const Value> parameters);

  /// Carries out a statement that has no rows; the number of rows that it changed.
  template <class... Parameters>
  std::int64_t execute(std::string_view sql, const Parameters&... parameters) {
    query(sql, parameters...).next();
    return changes();
  }

  /// Rows that the last statement changed itself.
  std::int64_t changes() const noexcept;

  /// Carries out the statements of a text that is used once; rows are thrown away.
  void run_script(const char* sql);

  void begin_read();
  void begin_write();
  /// Once this has begun, deadline and stop wait for its end. Throws Error; `outcome_unknown` when
  /// the disk failed in the middle of it. The transaction is over in any case.
  void commit();
  void rollback() noexcept;
  bool in_transaction() const noexcept;

  /// Throws Error(timeout) or Error(cancelled) when the call's time is up.
  void check_call() const;
  /// True after an error that a new connection may not have.
  bool broken() const noexcept { return broken_; }
  const std::string& path() const noexcept { return settings_.path; }
  /// What SQLite says about the last statement that failed, without advice.
  std::string last_message() const;
  bool is_autoincrement(const std::string& table, const std::string& column);
  /// In a transaction: references that point to nothing yet, and are looked at by its end.
  bool has_unresolved_references() const noexcept;
  /// Rows changed, through triggers too, since the connection was opened.
  std::int64_t total_changes() const noexcept;

  [[noreturn]] void fail(int result);

 private:
  sqlite3_stmt* prepare(std::string_view sql);
  void bind(sqlite3_stmt* statement, int index, std::string_view text);
  void bind(sqlite3_stmt* statement, int index, const std::string& text) {
    bind(statement, index, std::string_view(text));
  }
  void bind(sqlite3_stmt* statement, int index, const std::optional<std::string>& text);
  void bind(sqlite3_stmt* statement, int index, const Bytes& bytes);
  void bind(sqlite3_stmt* statement, int index, std::int64_t number);
  void bind(sqlite3_stmt* statement, int index, const Value& value);
  void check(int result);
  Interruption interruption() const noexcept;
  void configure(Purpose purpose);

  static int wait_for_lock(void* self, int attempts) noexcept;
  static int is_interrupted(void* self) noexcept;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };

  const Settings& settings_;
  const bool keeps_log_;  // A log that was there is not folded into the file by this connection.
  Handle handle_;         // Finalizes the statements too.
  std::unordered_map<std::string, sqlite3_stmt*, Hash, std::equal_to<>> statements_;
  const Call* call_ = nullptr;
  std::chrono::steady_clock::time_point waiting_since_;
  bool committing_ = false;
  bool broken_ = false;
};

/// A read transaction: all statements see one snapshot.
class Snapshot {
 public:
  explicit Snapshot(Connection& connection) : connection_(connection) { connection_.begin_read(); }
  ~Snapshot() { connection_.rollback(); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Connection& connection_;
};

}  // namespace threadkeep::sqlite
