// SPDX-License-Identifier: Apache-2.0
#include "table_lock.hpp"

#include <utility>

#include "postgres/sql.hpp"
#include "setup_session.hpp"
#include "table_session.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds time_between_words{10};

Result ask(Connection& connection, std::string_view sql, std::int64_t id, const Call& call) {
  Parameters parameters;
  parameters.bigint(id);
  return run_once(connection, std::string(sql), std::move(parameters), call);
}

std::int64_t number_of(Connection& connection, const Call& call) {
  Parameters parameters;
  parameters.text(connection.schema());
  return run_once(connection, std::string(sql::tables_lock), std::move(parameters), call)
      .integer(0, 0);
}

}  // namespace

TableLock::TableLock(std::unique_ptr<Connection> connection, std::chrono::milliseconds patience,
                     const std::function<void(const tables::LockHolder&)>& waiting,
                     const Call& call)
    : connection_(std::move(connection)), id_(number_of(*connection_, call)) {
  Backoff backoff(patience);
  auto next_word = Clock::now();
  while (!try_lock(call)) {
    if (waiting && Clock::now() >= next_word) {
      waiting({holder(call)});
      next_word = Clock::now() + time_between_words;
    }
    if (!backoff.wait(call)) throw busy(call);
  }
}

std::string TableLock::name() const {
  return "advisory lock " + std::to_string(id_);
}

// Without the session there is no lock; what else the server says, it says of a session that is
// there.
void TableLock::check(const Call& call) {
  check_call(call);
  bool held = false;
  try {
    held = ask(*connection_, sql::tables_lock_held, id_, call).boolean(0, 0);
  } catch (const Error& error) {
    if (!connection_->broken() || error.code() == Code::cancelled) throw;
  }
  if (held) return;
  throw Error(Code::conflict, name() +
                                  " was lost, and another migration may be at work; begin "
                                  "again, and what is copied already is found");
}

bool TableLock::try_lock(const Call& call) {
  return ask(*connection_, "SELECT pg_try_advisory_lock($1::bigint)", id_, call).boolean(0, 0);
}

std::string TableLock::holder(const Call& call) {
  const Result rows = ask(*connection_, sql::setup_lock_holder, id_, call);
  return rows.empty() ? "a session that has just ended" : describe_process(rows);
}

Error TableLock::busy(const Call& call) {
  const Result rows = ask(*connection_, sql::setup_lock_holder, id_, call);
  const std::string lock = "another migration writes to this schema: " + name();
  if (rows.empty()) {
    return Error(Code::unavailable, lock + " was held until now; try again", tables::lock_held);
  }
  return Error(Code::unavailable,
               lock + " is held by " + describe_process(rows) +
                   "; wait for it, or end it with SELECT pg_terminate_backend(" +
                   std::to_string(rows.integer(0, 0)) + ")",
               tables::lock_held);
}

}  // namespace threadkeep::postgres
