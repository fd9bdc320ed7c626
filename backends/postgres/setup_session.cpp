// SPDX-License-Identifier: Apache-2.0
#include "setup_session.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "postgres/sql.hpp"

namespace threadkeep::postgres {

namespace {

using namespace std::chrono_literals;

constexpr auto lock_patience = 60s;
constexpr auto longest_pause = 500ms;
// What is left of a call's time for saying who is in the way.
constexpr auto time_to_explain = 500ms;
constexpr auto time_to_clean_up = 2s;

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

}  // namespace

SetupTransaction::SetupTransaction(Connection& connection, const Call& call)
    : connection_(connection), call_(call) {
  connection_.execute(std::string(sql::setup_transaction), call_);
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
    if (!held_ && !backoff.wait(call_)) {
      throw Error(Code::unavailable, "another process changes this schema: advisory lock " +
                                         std::to_string(id_) + " is " + holder());
    }
  }
}

std::string SetupLock::holder() {
  const Statement statement{std::string(sql::setup_lock_holder)};
  Parameters parameters;
  parameters.bigint(id_);
  const Result rows = connection_.run(statement, std::move(parameters), Effect::none, call_);
  if (rows.empty()) return "free again; try once more";
  const std::string pid = std::to_string(rows.integer(0, 0));
  return "held by process " + pid + " (application '" + rows.text(0, 1) + "', role " +
         rows.text(0, 2) + ", client " + rows.text(0, 3) + ", for " +
         seconds_text(rows.integer(0, 4)) +
         "); wait for it, or end it with SELECT "
         "pg_terminate_backend(" +
         pid + ")";
}

Backoff::Backoff(std::chrono::milliseconds patience)
    : give_up_(std::chrono::steady_clock::now() + patience) {}

bool Backoff::wait(const Call& call) {
  const auto end = call.deadline.is_never()
                       ? give_up_
                       : std::min(give_up_, call.deadline.at() - time_to_explain);
  if (std::chrono::steady_clock::now() + next_ >= end) return false;
  pause(next_, call);
  next_ = std::min(next_ * 2, std::chrono::milliseconds(longest_pause));
  return true;
}

}  // namespace threadkeep::postgres
