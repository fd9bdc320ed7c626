// SPDX-License-Identifier: Apache-2.0
#include "round_trip.hpp"

#include <poll.h>

#include <algorithm>
#include <new>

#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

// More than this is sent on before the next statement is added, so that libpq's buffer holds one
// large statement and not all of them.
constexpr std::size_t most_unsent = 4 * 1024 * 1024;

// libpq may leave bytes in the buffer of the TLS library, where poll() cannot see them, when a
// record is larger than the servers' own are, as proxies send them. Then it is asked this often.
constexpr std::chrono::milliseconds tls_interval{20};

constexpr int binary_format = 1;

struct Clear {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};

std::string_view reason_of(Waiter::Wake wake) noexcept {
  return wake == Waiter::Wake::stop ? "the caller asked to stop" : "the deadline passed";
}

std::size_t size_of_row(const PGresult* result, int row) noexcept {
  std::size_t size = 0;
  for (int column = 0; column < PQnfields(result); ++column) {
    size += static_cast<std::size_t>(PQgetlength(result, row, column));
  }
  return size;
}

// The size of the largest message, which is a row. Looked for only where it matters.
std::size_t largest_row(const PGresult* result) noexcept {
  std::size_t largest = 0;
  if (PQresultMemorySize(result) <= RoundTrip::large_message) return largest;
  for (int row = 0; row < PQntuples(result); ++row) {
    largest = std::max(largest, size_of_row(result, row));
  }
  return largest;
}

}  // namespace

Waiter::Wake wait_for_socket(PGconn* connection, Waiter& waiter, short events,
                             const Deadline& deadline) {
  const bool hides_input = PQsslInUse(connection) == 1 || PQgssEncInUse(connection) == 1;
  const auto at_most = hides_input ? tls_interval : std::chrono::milliseconds::max();
  return waiter.wait(PQsocket(connection), events, deadline, at_most);
}

void give_up(Waiter::Wake wake, Effect effect) {
  if (effect == Effect::commit) {
    throw Error(Code::outcome_unknown,
                std::string(reason_of(wake)) + " while the server was at work");
  }
  throw Error(wake == Waiter::Wake::stop ? Code::cancelled : Code::timeout, reason_of(wake));
}

RoundTrip::RoundTrip(PGconn* connection, Waiter& waiter, const Call& call, Effect effect)
    : connection_(connection),
      waiter_(waiter),
      call_(call),
      watch_(waiter, call.stop),
      deadline_(call.deadline),
      effect_(effect) {}

void RoundTrip::prepare(const Statement& statement) {
  steps_.push_back(&statement);
  queued(PQsendPrepare(connection_, statement.name().c_str(), statement.sql().c_str(), 0, nullptr),
         statement.sql().size());
}

void RoundTrip::execute(const Request& request, bool prepared) {
  const Statement& statement = *request.statement;
  const Parameters& parameters = request.parameters;
  steps_.push_back(nullptr);
  if (statement.sql() == "COMMIT") sealed_ = true;
  const int accepted =
      prepared ? PQsendQueryPrepared(connection_, statement.name().c_str(), parameters.count(),
                                     parameters.values(), parameters.lengths(),
                                     parameters.formats(), binary_format)
               : PQsendQueryParams(connection_, statement.sql().c_str(), parameters.count(),
                                   nullptr, parameters.values(), parameters.lengths(),
                                   parameters.formats(), binary_format);
  queued(accepted, statement.sql().size() + parameters.size());
}

void RoundTrip::sync() {
  sealed_ = true;
  queued(PQpipelineSync(connection_), 0);
  drive();
}

void RoundTrip::run_text(const std::string& sql) {
  in_pipeline_ = false;
  sealed_ = true;
  queued(PQsendQuery(connection_, sql.c_str()), sql.size());
  drive();
}

void RoundTrip::queued(int accepted, std::size_t size) {
  if (accepted == 0) lose();
  largest_ = std::max(largest_, size);
  unsent_ += size;
  if (unsent_ <= most_unsent) return;
  while (!flush()) {
    wait(POLLIN | POLLOUT);
    consume();
  }
}

// True when nothing is left to send.
bool RoundTrip::flush() {
  const int left = PQflush(connection_);
  if (left < 0) lose();
  if (left == 0) unsent_ = 0;
  return left == 0;
}

void RoundTrip::drive() {
  bool flushed = flush();
  while (!read()) {
    wait(static_cast<short>(flushed ? POLLIN : POLLIN | POLLOUT));
    consume();
    if (!flushed) flushed = flush();
  }
}

// A server that ends the connection says why before it does: that is still to be read.
void RoundTrip::consume() {
  const bool lost = PQconsumeInput(connection_) == 0;
  if (lost && !read()) lose();
}

// Takes what has come. True at the end.
bool RoundTrip::read() {
  bool nothing_before = false;
  while (!ended_ && PQisBusy(connection_) == 0) {
    std::unique_ptr<PGresult, Clear> result(PQgetResult(connection_));
    if (result) {
      nothing_before = false;
      accept(std::move(result));
      continue;
    }
    if (!in_pipeline_) ended_ = true;
    if (nothing_before) break;  // nothing is under way
    nothing_before = true;      // the end of one statement
    ++step_;
  }
  if (!ended_ && PQstatus(connection_) == CONNECTION_BAD) lose();
  return ended_;
}

void RoundTrip::accept(std::shared_ptr<const PGresult> result) {
  switch (PQresultStatus(result.get())) {
    case PGRES_PIPELINE_SYNC:
      ended_ = true;
      return;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
      accept_answer(std::move(result));
      return;
    case PGRES_PIPELINE_ABORTED:
      return;
    case PGRES_FATAL_ERROR:
      if (!failure_) failure_ = std::move(result);
      return;
    default:  // COPY, which libpq would never end
      throw Error(Code::internal, "a statement has a result that is not supported");
  }
}

void RoundTrip::accept_answer(std::shared_ptr<const PGresult> result) {
  largest_ = std::max(largest_, largest_row(result.get()));
  const Statement* prepared = step_ < steps_.size() ? steps_[step_] : nullptr;
  if (prepared) {
    prepared_.push_back(prepared);
  } else {
    results_.emplace_back(std::move(result));
  }
}

void RoundTrip::wait(short events) {
  const auto wake = wait_for_socket(connection_, waiter_, events, deadline_);
  if (wake == Waiter::Wake::ready || (wake == Waiter::Wake::stop && outlasts_stop())) return;
  give_up(call_.stop.stop_requested() && !call_.deadline.passed() ? Waiter::Wake::stop : wake,
          effect());
}

// What commits has been sent, and its answer tells more than "unknown". Text is for changes of a
// schema, which may take hours and are taken up where they were left.
bool RoundTrip::outlasts_stop() {
  if (effect() != Effect::commit || !in_pipeline_) return false;
  watch_.end();
  deadline_ = std::min(deadline_, Deadline::after(stop_patience));
  return true;
}

void RoundTrip::lose() {
  if (failure_) throw make_error(failure_.get(), effect());
  throw make_lost_error(PQerrorMessage(connection_), effect());
}

}  // namespace threadkeep::postgres
