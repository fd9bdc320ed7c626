// SPDX-License-Identifier: Apache-2.0
#include "table_copy_stream.hpp"

#include <poll.h>

#include "error_map.hpp"
#include "round_trip.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

// libpq holds what the network has not taken yet: this much at most.
constexpr std::size_t part_size = 256 * 1024;

}  // namespace

CopyStream CopyStream::out(Connection& connection, const std::string& sql, const Call& call) {
  CopyStream stream(connection);
  stream.begin(sql, PGRES_COPY_OUT, call);
  return stream;
}

std::uint64_t CopyStream::in(Connection& connection, const std::string& sql, std::string_view lines,
                             const Call& call) {
  CopyStream stream(connection);
  stream.begin(sql, PGRES_COPY_IN, call);
  return stream.send(lines, call);
}

// The connection counts as broken until the end, so that nobody else uses it and an exception
// leaves it so. COPY does not go through a pipeline.
void CopyStream::begin(const std::string& sql, ExecStatusType wanted, const Call& call) {
  connection_.check_usable(call);
  const Waiter::Watch watch(connection_.waiter_, call.stop);
  connection_.broken_ = true;
  if (PQexitPipelineMode(handle()) != 1 || PQsendQuery(handle(), sql.c_str()) != 1) lose();
  flush(call);
  auto answer = result(call);
  if (answer && PQresultStatus(answer.get()) == wanted) return;
  end_of_answers(call);
  if (!answer) lose();
  connection_.refuse(std::move(answer), Effect::none);
}

std::optional<std::string_view> CopyStream::next(const Call& call) {
  if (ended_) return {};
  check_call(call);
  const Waiter::Watch watch(connection_.waiter_, call.stop);
  int size = 0;
  for (bool lost = false; (size = get_row()) == 0; lost = PQconsumeInput(handle()) == 0) {
    if (lost) lose();
    wait(POLLIN, call);
  }
  if (size > 0) return std::string_view(row_.get(), static_cast<std::size_t>(size));
  if (size == -2) lose();
  finish(call);
  return {};
}

// As PQgetCopyData: the size, 0 when nothing has come, -1 at the end, -2 for a failure.
int CopyStream::get_row() {
  char* row = nullptr;
  const int size = PQgetCopyData(handle(), &row, 1);
  row_.reset(row);
  return size;
}

std::uint64_t CopyStream::send(std::string_view lines, const Call& call) {
  const Waiter::Watch watch(connection_.waiter_, call.stop);
  while (!lines.empty()) {
    const auto part = lines.substr(0, part_size);
    put(part, call);
    lines.remove_prefix(part.size());
  }
  end_input(call);
  return finish(call);
}

// Zero says that libpq has no room before something was sent.
void CopyStream::put(std::string_view part, const Call& call) {
  int taken = 0;
  while (taken == 0) {
    taken = PQputCopyData(handle(), part.data(), static_cast<int>(part.size()));
    if (taken < 0) lose();
    flush(call);
  }
}

void CopyStream::end_input(const Call& call) {
  int taken = 0;
  while (taken == 0) {
    taken = PQputCopyEnd(handle(), nullptr);
    if (taken < 0) lose();
    flush(call);
  }
}

std::uint64_t CopyStream::finish(const Call& call) {
  auto answer = result(call);
  end_of_answers(call);
  if (!answer) lose();
  if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) {
    connection_.refuse(std::move(answer), Effect::none);
  }
  return Result(std::move(answer)).affected();
}

// Nothing is under way any more, so the connection is free again.
void CopyStream::end_of_answers(const Call& call) {
  ended_ = true;
  while (result(call)) {
  }
  if (PQstatus(handle()) != CONNECTION_OK || PQenterPipelineMode(handle()) != 1) return;
  connection_.broken_ = false;
}

std::shared_ptr<PGresult> CopyStream::result(const Call& call) {
  while (PQisBusy(handle()) == 1) {
    wait(POLLIN, call);
    // A server that ends the connection says why before it does: that is still to be read.
    if (PQconsumeInput(handle()) == 0 && PQisBusy(handle()) == 1) lose();
  }
  return {PQgetResult(handle()), [](PGresult* result) { PQclear(result); }};
}

void CopyStream::flush(const Call& call) {
  for (int left = PQflush(handle()); left != 0; left = PQflush(handle())) {
    if (left < 0) lose();
    wait(POLLIN | POLLOUT, call);
    if (PQconsumeInput(handle()) == 0) lose();
  }
}

void CopyStream::wait(short events, const Call& call) {
  const auto wake = wait_for_socket(handle(), connection_.waiter_, events, call.deadline);
  if (wake != Waiter::Wake::ready) give_up(wake, Effect::none);
}

void CopyStream::lose() {
  throw make_lost_error(PQerrorMessage(handle()), Effect::none);
}

}  // namespace threadkeep::postgres
