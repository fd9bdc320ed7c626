// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "connection.hpp"

/// \file
/// What changes of a schema need around them: transactions with short timeouts, and the advisory
/// lock that lets one process at a time change a schema. Nobody waits for that lock inside the
/// server: a statement that waits holds a snapshot, and the one who builds an index concurrently
/// waits for old snapshots, so that both would wait for each other.

namespace threadkeep::postgres {

/// A transaction that sees what others commit while it runs, with a lock timeout and a statement
/// timeout; rolled back unless it is committed.
class SetupTransaction {
 public:
  SetupTransaction(Connection& connection, const Call& call);
  ~SetupTransaction();
  SetupTransaction(const SetupTransaction&) = delete;
  SetupTransaction& operator=(const SetupTransaction&) = delete;

  void execute(const std::string& sql) { connection_.execute(sql, call_); }
  void commit();

 private:
  Connection& connection_;
  const Call& call_;
};

/// The advisory lock of a schema.
class SetupLock {
 public:
  SetupLock(Connection& connection, const Call& call);
  ~SetupLock();
  SetupLock(const SetupLock&) = delete;
  SetupLock& operator=(const SetupLock&) = delete;

  std::int64_t id() const noexcept { return id_; }
  /// Takes it until the transaction ends; false when another session has it.
  bool try_for_transaction();
  /// Takes it until this object goes; waits. Throws Error(unavailable) that names the holder.
  void hold();
  /// The error that names the holder.
  Error busy();

 private:
  bool try_lock(const char* function);

  Connection& connection_;
  const Call& call_;
  std::int64_t id_ = 0;
  bool held_ = false;
};

/// Sets the session's timeouts for as long as it lives, then sets back what they were.
class SessionTimeouts {
 public:
  /// No lock timeout; the statement timeout ends shortly before the call.
  SessionTimeouts(Connection& connection, const Call& call);
  ~SessionTimeouts();
  SessionTimeouts(const SessionTimeouts&) = delete;
  SessionTimeouts& operator=(const SessionTimeouts&) = delete;

 private:
  void set(const std::string& statement, const std::string& lock, const Call& call);

  Connection& connection_;
  std::string statement_timeout_;
  std::string lock_timeout_;
};

/// "process 123 (application 'x', role y, client 10.0.0.1, for 12 s)" of the first row.
std::string describe_process(const Result& rows);

/// Waits that grow, for as long as the call and `patience` allow.
class Backoff {
 public:
  using Duration = std::chrono::milliseconds;

  explicit Backoff(Duration patience, Duration first = Duration(20),
                   Duration longest = Duration(500));

  /// False when the patience or nearly all time of the call is used up. Throws `cancelled`.
  bool wait(const Call& call);

 private:
  std::chrono::steady_clock::time_point give_up_;
  Duration next_;
  Duration longest_;
};

}  // namespace threadkeep::postgres
