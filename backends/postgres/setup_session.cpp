// SPDX-License-Identifier: Apache-2.0
#include "setup_session.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "postgres/sql.hpp"
#include "template.hpp"

namespace threadkeep::postgres {

namespace {

using namespace std::chrono_literals;

constexpr auto lock_patience = 60s;
constexpr auto lock_timeout = 2s;
constexpr auto statement_timeout = 30s;
// What is left of a call's time for saying who is in the way.
constexpr auto time_to_explain = 500ms;
constexpr auto time_to_clean_up = 2s;
constexpr auto longest_timeout = std::chrono::milliseconds(2'147'483'647);  // what fits a setting

Call clean_up_call() {
  return Call{.deadline = Deadline::after(time_to_clean_up), .stop = {}};
}

// Sleeps, but no longer than until stop is requested.
void pause(std::chrono::milliseconds duration, const Call& call) {
  std::mutex mutex;
  std::condition_variable_any wakes;
  std::unique_lock lock(mutex);
  wakes.wait_for(lock, call.stop, duration, [] { return false; });
  if (call.stop.stop_requested()) throw Error(Code::cancelled, "the caller asked to stop");
}

std::string seconds_text(std::int64_t seconds) {
  return seconds < 120 ? std::to_string(seconds) + " s" : std::to_string(seconds / 60) + " min";
}

// The server ends a statement a little before the call ends, so that there is time to say so.
std::chrono::milliseconds time_at_server(const Call& call, std::chrono::milliseconds longest) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(call.deadline.left());
  return std::clamp(std::max(left - 1000ms, left / 2), 1ms, longest);
}

std::string setting(std::chrono::milliseconds timeout) {
  return std::to_string(timeout.count()) + "ms";
}

std::string begin(const Call& call) {
  const auto statement = time_at_server(call, statement_timeout);
  const auto lock = std::min<std::chrono::milliseconds>(lock_timeout, (statement + 1ms) / 2);
  return fill(sql::setup_transaction,
              {{"{lock_timeout}", setting(lock)}, {"{statement_timeout}", setting(statement)}});
}

}  // namespace

SetupTransaction::SetupTransaction(Connection& connection, const Call& call)
    : connection_(connection), call_(call) {
  connection_.execute(begin(call), call_);
}

SetupTransaction::~SetupTransaction() {
  if (connection_.broken() || !connection_.in_transaction()) return;
  try {
    connection_.execute("ROLLBACK", clean_up_call());
  } catch (const Error&) {
    // The connection is broken now, and the server rolls back by itself.
  }
}

void SetupTransaction::commit() {
  connection_.execute("COMMIT", call_);
}

SetupLock::SetupLock(Connection& connection, const Call& call)
    : connection_(connection), call_(call) {
  const Statement statement{std::string(sql::setup_lock)};
  Parameters parameters;
  parameters.text(connection.schema());
  id_ = connection.run(statement, std::move(parameters), Effect::none, call).integer(0, 0);
}

SetupLock::~SetupLock() {
  if (!held_ || connection_.broken()) return;
  try {
    const Statement statement("SELECT pg_advisory_unlock($1::bigint)");
    Parameters parameters;
    parameters.bigint(id_);
    connection_.run(statement, std::move(parameters), Effect::none, clean_up_call());
  } catch (const Error&) {
    // It ends with the session.
  }
}

bool SetupLock::try_lock(const char* function) {
  const Statement statement(std::string("SELECT ") + function + "($1::bigint)");
  Parameters parameters;
  parameters.bigint(id_);
  return connection_.run(statement, std::move(parameters), Effect::none, call_).boolean(0, 0);
}

bool SetupLock::try_for_transaction() {
  return try_lock("pg_try_advisory_xact_lock");
}

void SetupLock::hold() {
  Backoff backoff(lock_patience);
  while (!held_) {
    held_ = try_lock("pg_try_advisory_lock");
    if (!held_ && !backoff.wait(call_)) throw busy();
  }
}

Error SetupLock::busy() {
  const Statement statement{std::string(sql::setup_lock_holder)};
  Parameters parameters;
  parameters.bigint(id_);
  const Result rows = connection_.run(statement, std::move(parameters), Effect::none, call_);
  const std::string lock =
      "another session changes this schema: advisory lock " + std::to_string(id_);
  if (rows.empty()) return Error(Code::unavailable, lock + " was held until now; try again");
  return Error(Code::unavailable, lock + " is held by " + describe_process(rows) +
                                      "; wait for it, or end it with SELECT pg_terminate_backend(" +
                                      std::to_string(rows.integer(0, 0)) + ")");
}

SessionTimeouts::SessionTimeouts(Connection& connection, const Call& call)
    : connection_(connection) {
  const Statement statement(
      "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')");
  const Result rows = connection.run(statement, {}, Effect::none, call);
  statement_timeout_ = rows.text(0, 0);
  lock_timeout_ = rows.text(0, 1);
  set(call.deadline.is_never() ? "0" : setting(time_at_server(call, longest_timeout)), "0", call);
}

SessionTimeouts::~SessionTimeouts() {
  if (connection_.broken()) return;
  try {
    set(statement_timeout_, lock_timeout_, clean_up_call());
  } catch (const Error&) {
    // The connection is broken now: there is no session any more.
  }
}

void SessionTimeouts::set(const std::string& statement, const std::string& lock, const Call& call) {
  const Statement set_both(
      "SELECT set_config('statement_timeout', $1::text, false),"
      " set_config('lock_timeout', $2::text, false)");
  Parameters parameters;
  parameters.text(statement).text(lock);
  connection_.run(set_both, std::move(parameters), Effect::commit, call);
}

std::string describe_process(const Result& rows) {
  return "process " + std::to_string(rows.integer(0, 0)) + " (application '" + rows.text(0, 1) +
         "', role " + rows.text(0, 2) + ", client " + rows.text(0, 3) + ", for " +
         seconds_text(rows.integer(0, 4)) + ")";
}

Backoff::Backoff(Duration patience, Duration first, Duration longest)
    : give_up_(std::chrono::steady_clock::now() + patience), next_(first), longest_(longest) {}

bool Backoff::wait(const Call& call) {
  const auto end = call.deadline.is_never()
                       ? give_up_
                       : std::min(give_up_, call.deadline.at() - time_to_explain);
  if (std::chrono::steady_clock::now() + next_ >= end) return false;
  pause(next_, call);
  next_ = std::min(next_ * 2, longest_);
  return true;
}

}  // namespace threadkeep::postgres
