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

Result ask_of_schema(Connection& connection, std::string_view sql, const Call& call) {
  Parameters parameters;
  parameters.text(connection.schema());
  return run_once(connection, std::string(sql), std::move(parameters), call);
}

}  // namespace

TableLock::TableLock(std::unique_ptr<Connection> connection, std::chrono::milliseconds patience,
                     const tables::OnWaiting& waiting, const Call& call)
    : connection_(std::move(connection)),
      id_(ask_of_schema(*connection_, sql::tables_lock, call).integer(0, 0)) {
  Backoff backoff(patience);
  auto next_word = Clock::now();
  while (const auto found = obstacle(call)) {
    if (waiting && Clock::now() >= next_word) {
      waiting({found->process});
      next_word = Clock::now() + time_between_words;
    }
    if (!backoff.wait(call)) throw busy(*found);
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

std::optional<TableLock::Obstacle> TableLock::obstacle(const Call& call) {
  const auto first_of = [](const Result& rows, std::string what) {
    if (rows.empty()) return Obstacle{std::move(what), "a session that has just ended"};
    return Obstacle{std::move(what), describe_process(rows), rows.integer(0, 0)};
  };
  if (!held_) {
    held_ = ask(*connection_, "SELECT pg_try_advisory_lock($1::bigint)", id_, call).boolean(0, 0);
    if (!held_) {
      return first_of(ask(*connection_, sql::setup_lock_holder, id_, call),
                      name() + " is held by ");
    }
  }
  const Result writers = ask_of_schema(*connection_, sql::tables_lock_writers, call);
  if (writers.empty()) return {};
  return first_of(writers, "a transaction of an earlier run has not ended, that of ");
}

Error TableLock::busy(const Obstacle& obstacle) {
  const std::string remedy = obstacle.pid == 0
                                 ? "; try again"
                                 : "; wait for it, or end it with SELECT pg_terminate_backend(" +
                                       std::to_string(obstacle.pid) + ")";
  return Error(
      Code::unavailable,
      "another migration writes to this schema: " + obstacle.what + obstacle.process + remedy,
      tables::lock_held);
}

}  // namespace threadkeep::postgres
