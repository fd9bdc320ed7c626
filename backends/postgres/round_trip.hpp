// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "error_map.hpp"
#include "result.hpp"
#include "statement.hpp"
#include "threadkeep/call.hpp"
#include "waiter.hpp"

namespace threadkeep::postgres {

/// Waits until the socket is ready for `events` of poll(), the deadline passes or the watched stop
/// is requested.
Waiter::Wake wait_for_socket(PGconn* connection, Waiter& waiter, short events,
                             const Deadline& deadline);

/// Throws the Error of a call that ended before the server's answer came, by what may have been
/// done. The connection is of no use then.
[[noreturn]] void give_up(Waiter::Wake wake, Effect effect);

/// What is sent to the server in one go, and what comes back. Sends and reads at the same time, so
/// that neither side waits for the other, and never blocks in libpq.
///
/// Every function throws Error when the call's time is up or the connection is lost; the connection
/// is of no use then. What the server refuses is no exception here: see failure().
class RoundTrip {
 public:
  RoundTrip(PGconn* connection, Waiter& waiter, const Call& call, Effect effect);
  RoundTrip(const RoundTrip&) = delete;
  RoundTrip& operator=(const RoundTrip&) = delete;

  // In pipeline mode.
  void prepare(const Statement& statement);
  void execute(const Request& request, bool prepared);
  /// Ends the pipeline and waits for its end. Where it commits, a stop comes too late: the answer
  /// is waited for, though no longer than stop_patience.
  void sync();

  /// Outside pipeline mode: text of one or several statements, and waits for its end.
  void run_text(const std::string& sql);

  /// The first result that is an error; null when all went well.
  const PGresult* failure() const noexcept { return failure_.get(); }
  std::shared_ptr<const PGresult> take_failure() { return std::move(failure_); }
  /// The results of the executed statements, in their order.
  std::vector<Result> take_results() { return std::move(results_); }
  /// The statements that the server has prepared.
  const std::vector<const Statement*>& prepared() const noexcept { return prepared_; }
  /// A message was so large that libpq's buffer for it, which never shrinks, is too.
  bool was_large() const noexcept { return largest_ > large_message; }

  /// What the server may have done with what has left so far.
  Effect effect() const noexcept { return sealed_ ? effect_ : Effect::none; }

  static constexpr std::size_t large_message = 32 * 1024 * 1024;
  static constexpr std::chrono::seconds stop_patience{10};

 private:
  void queued(int accepted, std::size_t size);
  bool flush();
  void drive();
  void consume();
  bool read();
  void accept(std::shared_ptr<const PGresult> result);
  void accept_answer(std::shared_ptr<const PGresult> result);
  void wait(short events);
  bool outlasts_stop();
  [[noreturn]] void lose();
  PGconn* connection_;
  Waiter& waiter_;
  const Call& call_;
  Waiter::Watch watch_;
  Deadline deadline_;
  const Effect effect_;

  // One for each statement that was sent: what is prepared, or null for an execution.
  std::vector<const Statement*> steps_;
  std::size_t step_ = 0;
  bool in_pipeline_ = true;
  bool sealed_ = false;  // what commits may have been sent
  bool ended_ = false;
  std::size_t unsent_ = 0;  // roughly
  std::size_t largest_ = 0;
  std::vector<Result> results_;
  std::vector<const Statement*> prepared_;
  std::shared_ptr<const PGresult> failure_;
};

}  // namespace threadkeep::postgres
