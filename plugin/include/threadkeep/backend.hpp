// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "threadkeep/call.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/model.hpp"
#include "threadkeep/mutation.hpp"
#include "threadkeep/sql_host.hpp"

namespace threadkeep {

/// What a backend can do and where its limits are. Constant once it is open.
struct Capabilities {
  std::string name;                        ///< "sqlite"
  bool durable = false;                    ///< Survives the process.
  bool blocking = true;                    ///< Calls wait for a disk or a network.
  std::size_t max_value_bytes = 0;         ///< Greatest blob, write, document or metadata.
  std::size_t max_concurrent_batches = 1;  ///< How many apply() calls gain from running at once.
};

/// The answer of Backend::ping.
struct Health {
  bool ok = false;
  std::string detail;  ///< Version and place of the store; says what is wrong when not ok.
};

/// What Backend::examine has to say about one thing.
struct Finding {
  enum class Level {
    good,
    warning,  ///< It works; somebody should look at it.
    problem,  ///< It does not work, or data may be lost.
  };

  Level level = Level::good;
  std::string subject;  ///< "clock", "eviction"; the same for every store where it is the same.
  std::string text;     ///< What is the case.
  std::string remedy;   ///< What to do; empty when good.
};

/// Whom a script of Backend::setup_script is for.
enum class SetupRole {
  owner,     ///< Does what setup() does.
  migrator,  ///< The rights of a role that may run setup().
  app,       ///< The rights of a role that uses the store and changes no table.
  cron,      ///< The rights of a role that looks at threads and deletes from them.
};

/// What a store implements and what layers wrap: the narrow waist.
///
/// Runtimes do not call it; they use Checkpointer. Requests arrive validated (see Store).
/// All functions are thread-safe and block until done, until the call's deadline passes, or until
/// it is cancelled. Failures are thrown as Error; no other exception leaves a backend except
/// std::bad_alloc. An outage is an error and never "absent". A read sees every write that was
/// acknowledged before it began.
class Backend {
 public:
  virtual ~Backend() = default;
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  /// Carries out every write there is. Outcomes are in the order of `batch`; mutations of one
  /// thread take effect in that order. Each mutation is atomic by itself, and one that fails does
  /// not hurt the others. Throws only when none was carried out; then all ended with that error.
  virtual std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) = 0;

  virtual std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) = 0;
  virtual Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) = 0;
  /// One entry for every channel of the query, in its order. An absent checkpoint has no history.
  virtual std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) = 0;
  virtual Page<ThreadInfo> threads(const ThreadList& query, const Call& call) = 0;

  virtual Capabilities capabilities() const = 0;
  /// Asks the store itself; never throws for an outage but reports it.
  virtual Health ping(const Call& call) = 0;
  /// Looks at the store and the server below it as an operator would: what may fail or lose data.
  /// Never throws for an outage but reports it. Reads only; may take a while on a large store.
  virtual std::vector<Finding> examine(const Call& call);
  /// Creates what the backend needs. Idempotent, safe from many processes at once; also done on
  /// first use.
  virtual void setup(const Call& call) = 0;
  /// The same in the store's own language, for people whose programs may not change its form, or
  /// the statements that give `grantee` the rights of `role`. Does not touch the store. Throws
  /// Error(unsupported) where there is no such thing.
  virtual std::string setup_script(SetupRole role, std::string_view grantee) const {
    static_cast<void>(role);
    static_cast<void>(grantee);
    throw Error(Code::unsupported, capabilities().name + " stores are set up by their first use");
  }
  /// The database below, where it is one that speaks SQL and can keep functions; else null. Owned
  /// by the backend.
  virtual SqlHost* sql() { return nullptr; }
};

/// What a backend takes from its surroundings, so that tests can hand it their own.
struct Environment {
  /// Wall clock, microseconds since 1970 UTC.
  std::function<std::int64_t()> now;

  /// The system's clock.
  static Environment system();
};

}  // namespace threadkeep
