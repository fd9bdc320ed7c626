// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "connector.hpp"
#include "error_map.hpp"
#include "fork_guard.hpp"
#include "result.hpp"
#include "round_trip.hpp"
#include "settings.hpp"
#include "statement.hpp"
#include "threadkeep/call.hpp"
#include "threadkeep/error.hpp"
#include "waiter.hpp"

namespace threadkeep::postgres {

class CopyStream;

/// One connection to the server. libpq does not block here: this class waits on the socket itself,
/// so that every function ends when the call's deadline passes or its stop is requested, whatever
/// the server or the network does. A connection on which a call was given up is broken and is
/// never used again. Not thread-safe.
class Connection {
 public:
  /// Connects, to the first host that answers and fits. Throws Error.
  Connection(const Settings& settings, const Call& call);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Carries out the statements in one round trip (libpq's pipeline mode) and returns a result for
  /// each. Outside begin() they are one transaction, committed at the end; each statement sees
  /// what was committed before it began. Throws the Error of the first that fails; then none of
  /// them has an effect, unless the code is outcome_unknown.
  std::vector<Result> run(std::span<const Request> requests, Effect effect, const Call& call);
  Result run(const Statement& statement, Parameters parameters, Effect effect, const Call& call);

  /// Runs SQL text of one or several statements as it stands, for schema work. Not for values.
  Result execute(const std::string& sql, const Call& call);

  /// True when the connection cannot be used any more.
  bool broken() const noexcept;
  /// Looks at the socket without a round trip: false when the server has closed it.
  bool alive() noexcept;
  /// Asks the server for a sign of life, in one round trip. Throws Error.
  void ping(const Call& call);
  bool in_transaction() const noexcept;
  /// It works, but a new one would do better: its buffers grew large, or the server has other
  /// statements prepared than it thinks.
  bool worn() const noexcept { return worn_; }

  /// Several connections of the server are behind this one (a pooler): there is no session, so
  /// nothing is prepared and nothing may be set beyond a transaction.
  bool pooled() const noexcept { return pooled_; }
  int server_version() const noexcept;  ///< 150018
  /// The schema that the store lies in: the one of the settings, or the first of the search path.
  /// Empty when neither exists.
  const std::string& schema() const noexcept { return schema_; }
  std::chrono::steady_clock::time_point opened_at() const noexcept { return opened_at_; }
  /// All that the server said when it last refused a statement: unlike an Error, with what it
  /// quotes of the data. Null when it never did.
  const PGresult* last_refusal() const noexcept { return last_refusal_.get(); }

 private:
  friend class CopyStream;

  [[noreturn]] void refuse(std::shared_ptr<const PGresult> failure, Effect effect);
  void check_usable(const Call& call) const;
  void check_server() const;
  void bootstrap(const Settings& settings, const Call& call);
  void carry_out(RoundTrip& trip, std::span<const Request> requests);
  void queue(RoundTrip& trip, std::span<const Request> requests);
  void finish(const RoundTrip& trip);
  bool stop_preparing(const PGresult* failure) noexcept;
  static void notice(void* self, const PGresult* message) noexcept;

  ForkGuard fork_guard_;
  Waiter waiter_;
  ConnectionHandle handle_;
  std::chrono::steady_clock::time_point opened_at_;
  std::string schema_;
  std::unordered_set<std::string> prepared_;  // names
  std::vector<const Statement*> being_prepared_;
  std::shared_ptr<const PGresult> last_refusal_;
  bool prepares_ = false;
  bool pooled_ = false;
  bool broken_ = false;
  bool worn_ = false;
  bool unreplicated_ = false;  // The last commit did not wait for its standby.
};

}  // namespace threadkeep::postgres
