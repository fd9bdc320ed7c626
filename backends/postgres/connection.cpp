// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <new>
#include <string_view>

#include "postgres/sql.hpp"

namespace threadkeep::postgres {

namespace {

constexpr int oldest_version = 140000;

// What a server accepts in one message; it ends the connection over a larger one.
constexpr std::size_t largest_message = 0x3fffffff - 1024 * 1024;

std::string_view field(const PGresult* result, int code) noexcept {
  const char* text = PQresultErrorField(result, code);
  return text ? text : std::string_view();
}

// The server knows other prepared statements than this connection believes: a pooler stands
// between, or a table has changed since.
bool is_about_preparation(const PGresult* failure) noexcept {
  const auto state = state_of(failure);
  if (state == "26000" || state == "42P05") return true;
  return state == "0A000" && field(failure, PG_DIAG_SOURCE_FUNCTION) == "RevalidateCachedQuery";
}

void check_size(std::span<const Request> requests) {
  for (const Request& request : requests) {
    if (request.parameters.size() + request.statement->sql().size() < largest_message) continue;
    throw Error(Code::invalid_argument,
                "what one statement sends must stay below 1 GiB; keep large values elsewhere and "
                "store a reference");
  }
}

}  // namespace

Connection::Connection(const Settings& settings, const Call& call) {
  {
    const Waiter::Watch watch(waiter_, call.stop);
    handle_ = connect(settings, waiter_, call);
  }
  opened_at_ = std::chrono::steady_clock::now();
  PQsetNoticeReceiver(
      handle_.get(), [](void* self, const PGresult* m) { notice(self, m); }, this);
  PQsetErrorVerbosity(handle_.get(), PQERRORS_DEFAULT);
  check_server();
  if (PQsetnonblocking(handle_.get(), 1) != 0 || PQenterPipelineMode(handle_.get()) != 1) {
    throw make_lost_error(PQerrorMessage(handle_.get()), Effect::none);
  }
  bootstrap(settings, call);
}

// A process that was forked shares the sockets of its parent: it must not say goodbye on them.
Connection::~Connection() {
  if (!handle_) return;
  if (fork_guard_.in_child()) {
    close(PQsocket(handle_.get()));
    static_cast<void>(handle_.release());
  } else if (broken_) {
    // libpq would first send what is left of the statements, and the server might carry them out.
    shutdown(PQsocket(handle_.get()), SHUT_RDWR);
  }
}

void Connection::check_server() const {
  if (server_version() < oldest_version) {
    throw Error(Code::unsupported, "the server is PostgreSQL " +
                                       std::to_string(server_version() / 10000) +
                                       "; threadkeep needs 14 or later");
  }
}

void Connection::bootstrap(const Settings& settings, const Call& call) {
  static const Statement statement{std::string(sql::connect)};
  Parameters parameters;
  parameters.integer(PQbackendPID(handle_.get())).text(settings.schema);
  const Result result = run(statement, std::move(parameters), Effect::none, call);
  pooled_ = !result.boolean(0, 0);
  schema_ = result.text(0, 1);
  prepares_ =
      settings.prepare == Prepare::always || (settings.prepare == Prepare::automatic && !pooled_);
  if (const auto encoding = result.text(0, 2); encoding != "UTF8") {
    throw Error(Code::unsupported, "the database has the encoding " + encoding +
                                       "; create one with ENCODING 'UTF8' and name it in the URL");
  }
}

std::vector<Result> Connection::run(std::span<const Request> requests, Effect effect,
                                    const Call& call) {
  check_usable(call);
  check_size(requests);
  const bool may_repeat = !in_transaction();
  for (;;) {
    RoundTrip trip(handle_.get(), waiter_, call, effect);
    carry_out(trip, requests);
    if (!trip.failure() && unreplicated_ && effect == Effect::commit) {
      throw Error(Code::outcome_unknown,
                  "it is committed, but somebody ended the wait for the synchronous standby: a "
                  "failover may lose it");
    }
    if (!trip.failure()) return trip.take_results();
    // A BEGIN among the requests has been carried out: the caller has to roll back first.
    const bool repeat = stop_preparing(trip.failure()) && may_repeat && !in_transaction();
    if (!repeat) refuse(trip.take_failure(), effect);
  }
}

Result Connection::run(const Statement& statement, Parameters parameters, Effect effect,
                       const Call& call) {
  const Request request{&statement, std::move(parameters)};
  return run({&request, 1}, effect, call).front();
}

Result Connection::execute(const std::string& sql, const Call& call) {
  check_usable(call);
  RoundTrip trip(handle_.get(), waiter_, call, Effect::commit);
  broken_ = true;
  PQexitPipelineMode(handle_.get());
  trip.run_text(sql);
  PQenterPipelineMode(handle_.get());
  broken_ = false;
  finish(trip);
  if (trip.failure()) refuse(trip.take_failure(), Effect::commit);
  return trip.take_results().back();
}

void Connection::refuse(std::shared_ptr<const PGresult> failure, Effect effect) {
  last_refusal_ = std::move(failure);
  throw make_error(last_refusal_.get(), effect);
}

void Connection::ping(const Call& call) {
  check_usable(call);
  RoundTrip trip(handle_.get(), waiter_, call, Effect::none);
  carry_out(trip, {});
}

void Connection::check_usable(const Call& call) const {
  fork_guard_.check();
  check_call(call);
  if (broken()) throw Error(Code::unavailable, "the connection to the server was lost; try again");
}

// Broken while it is under way, and so after an exception too.
void Connection::carry_out(RoundTrip& trip, std::span<const Request> requests) {
  broken_ = true;
  unreplicated_ = false;
  try {
    queue(trip, requests);
    trip.sync();
  } catch (const std::bad_alloc&) {
    if (trip.effect() == Effect::none) throw;
    throw Error(Code::outcome_unknown, "out of memory while the server was at work");
  }
  broken_ = false;
  finish(trip);
}

void Connection::queue(RoundTrip& trip, std::span<const Request> requests) {
  being_prepared_.clear();
  for (const Request& request : requests) {
    const bool prepared = prepares_ && !request.once;
    if (prepared && prepared_.insert(request.statement->name()).second) {
      being_prepared_.push_back(request.statement);
      trip.prepare(*request.statement);
    }
    trip.execute(request, prepared);
  }
}

// What stands behind a failure in the pipeline was not prepared.
void Connection::finish(const RoundTrip& trip) {
  for (std::size_t i = trip.prepared().size(); i < being_prepared_.size(); ++i) {
    prepared_.erase(being_prepared_[i]->name());
  }
  being_prepared_.clear();
  worn_ = worn_ || trip.was_large();
}

// True when the failure comes from prepared statements and would not come without them. Behind a
// pooler a new connection would fare no better.
bool Connection::stop_preparing(const PGresult* failure) noexcept {
  if (!prepares_ || !is_about_preparation(failure)) return false;
  prepares_ = false;
  worn_ = worn_ || !pooled_;
  return true;
}

bool Connection::broken() const noexcept {
  return broken_ || PQstatus(handle_.get()) != CONNECTION_OK;
}

bool Connection::alive() noexcept {
  constexpr int most_messages = 4;
  for (int i = 0; i < most_messages && !broken(); ++i) {
    pollfd polled{PQsocket(handle_.get()), POLLIN, 0};
    if (poll(&polled, 1, 0) <= 0) return true;
    if (PQconsumeInput(handle_.get()) == 0) broken_ = true;
    static_cast<void>(PQisBusy(handle_.get()));  // looks at what has come: see notice()
  }
  return !broken();
}

// Between statements the server's last words are notices for libpq. That a commit was not confirmed
// by a synchronous standby is a warning, and a success; only its source is in one language.
void Connection::notice(void* self, const PGresult* message) noexcept {
  if (field(message, PG_DIAG_SOURCE_FUNCTION) == "SyncRepWaitForLSN") {
    static_cast<Connection*>(self)->unreplicated_ = true;
  }
  const auto severity = field(message, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity != "FATAL" && severity != "PANIC") return;
  static_cast<Connection*>(self)->broken_ = true;
}

bool Connection::in_transaction() const noexcept {
  return PQtransactionStatus(handle_.get()) != PQTRANS_IDLE;
}

int Connection::server_version() const noexcept {
  return PQserverVersion(handle_.get());
}

}  // namespace threadkeep::postgres
