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
#include "threadkeep/stats.hpp"

namespace threadkeep {

class Journal;     // threadkeep/journal.hpp
class ValueCache;  // threadkeep/value_cache.hpp

namespace retention {
class Host;  // threadkeep/retention_host.hpp
}

/// What a backend can do and where its limits are. Constant once it is open.
struct Capabilities {
  std::string name;                        ///< "sqlite"
  bool durable = false;                    ///< Survives the process.
  bool blocking = true;                    ///< Calls wait for a disk or a network.
  std::size_t max_value_bytes = 0;         ///< Greatest blob, write, document, content, metadata.
  std::size_t max_concurrent_batches = 1;  ///< How many apply() calls gain from running at once.
  bool sessions = false;                   ///< Keeps messages and state.
};

/// The answer of Backend::ping.
struct Health {
  bool ok = false;
  std::string detail;  ///< Version and place of the store; says what is wrong when not ok.
  /// It answers, but not from where it should: some calls may fail, or be carried out later.
  bool degraded = false;
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
/// Runtimes do not call it; they use Checkpointer and SessionStore. Requests arrive validated (see
/// Store). All functions are thread-safe and block until done, until the call's deadline passes, or
/// until it is cancelled. Failures are thrown as Error; no other exception leaves a backend except
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
  /// A text that is another one as soon as get() returns something else, at the price of a look;
  /// absent when get() returns nothing. Throws Error(unsupported) where a store has no such text.
  virtual std::optional<std::string> head(const CheckpointQuery& query, const Call& call);
  virtual Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) = 0;
  /// One entry for every channel of the query, in its order. An absent checkpoint has no history.
  virtual std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) = 0;
  virtual Page<ThreadInfo> threads(const ThreadList& query, const Call& call) = 0;
  /// One thread as threads() lists it.
  virtual std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) = 0;
  /// All writes of each such checkpoint id, as they would be put again. None at the end.
  virtual std::vector<PutWrites> loose_writes(const LooseWritesQuery& query, const Call& call) = 0;

  // Messages and state: only of backends with Capabilities::sessions. Store refuses them before, so
  // a backend without has nothing to do.
  virtual Page<Message> messages(const MessageList& query, const Call& call);
  virtual std::optional<Message> message(const MessageQuery& query, const Call& call);
  /// How many messages all pages of the list would hold.
  virtual std::uint64_t count_messages(const MessageList& query, const Call& call);
  virtual std::optional<StateDocument> state(const StateQuery& query, const Call& call);
  virtual Page<StateDocument> states(const StateList& query, const Call& call);
  /// The names of the streams that have messages, in bytewise order.
  virtual std::vector<std::string> streams(const ThreadQuery& query, const Call& call);

  virtual Capabilities capabilities() const = 0;
  /// Asks the store itself; never throws for an outage but reports it.
  virtual Health ping(const Call& call) = 0;
  /// Looks at the store and the server below it as an operator would: what may fail or lose data.
  /// Never throws for an outage but reports it. Reads only; may take a while on a large store.
  virtual std::vector<Finding> examine(const Call& call);
  /// How much the store holds. Throws Error(unsupported) where a backend does not count.
  virtual StoreStats stats(const StatsQuery& query, const Call& call) {
    static_cast<void>(query);
    static_cast<void>(call);
    throw Error(Code::unsupported, capabilities().name + " stores do not count what they hold");
  }
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
  /// For retention that this program carries out; null where a store has none, or its own. Owned by
  /// the backend.
  virtual retention::Host* retention() { return nullptr; }
  /// For writes that wait for another store; null where a store keeps none. Owned by the backend.
  virtual Journal* journal() { return nullptr; }
  /// For copies of what another store keeps, which may be gone at any time; null where a store
  /// keeps none. Owned by the backend.
  virtual ValueCache* cache() { return nullptr; }
};

/// The answer of a backend without Capabilities::sessions to a call for messages or state.
Error no_sessions(const Capabilities& capabilities);

/// What the first use of a store does where there is none yet.
enum class FirstUse {
  creates,
  /// Ends with Error(unavailable) that names the place, and leaves nothing behind: for programs
  /// that look at stores, where a mistyped URL must not make a new one. setup() creates all the
  /// same. A store that ends with its process is there as soon as it is open.
  refuses,
};

/// What a backend takes from its surroundings, so that tests can hand it their own.
struct Environment {
  /// Wall clock, microseconds since 1970 UTC.
  std::function<std::int64_t()> now;
  FirstUse first_use = FirstUse::creates;

  /// The system's clock.
  static Environment system();
};

}  // namespace threadkeep
