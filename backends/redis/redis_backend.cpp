// SPDX-License-Identifier: Apache-2.0
#include "redis/redis_backend.hpp"

#include <utility>

#include "database.hpp"
#include "examine.hpp"
#include "findings.hpp"
#include "fork_guard.hpp"
#include "health.hpp"
#include "mutations.hpp"
#include "reads.hpp"
#include "retention.hpp"
#include "value_cache.hpp"

namespace threadkeep::redis {

namespace {

// A document and its metadata are one value, and a server takes values of at most 512 MiB.
constexpr std::size_t max_value_bytes = 128 * 1024 * 1024;

// While one batch is on its way another can be put together; more would only make them smaller.
constexpr std::size_t concurrent_batches = 4;

/// The glue between Backend and the functions that do the work: every call takes a connection for
/// its duration. Thread-safe.
class RedisBackend final : public Backend {
 public:
  RedisBackend(Settings settings, Environment environment)
      : environment_(std::move(environment)),
        database_(std::make_unique<Database>(std::move(settings))),
        retention_(*database_, fork_guard_, environment_),
        cache_(*database_, fork_guard_) {}

  // In a forked child the connections are the parent's, and so is what watches them.
  ~RedisBackend() override {
    if (fork_guard_.in_child()) static_cast<void>(database_.release());
  }

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    if (batch.empty()) return {};
    const Lease connection = lease(call);
    Writer writer(*connection, database_->settings(), environment_.now(), call);
    return redis::apply(writer, batch);
  }

  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) override {
    const Lease connection = lease(call);
    return std::move(read_checkpoints(reader(connection, call), {query}, 0).front());
  }
  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) override {
    const Lease connection = lease(call);
    return redis::list(reader(connection, call), query);
  }
  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) override {
    const Lease connection = lease(call);
    return redis::history(reader(connection, call), query);
  }
  Page<ThreadInfo> threads(const ThreadList& query, const Call& call) override {
    const Lease connection = lease(call);
    return redis::threads(reader(connection, call), query);
  }
  std::vector<PutWrites> loose_writes(const LooseWritesQuery& query, const Call& call) override {
    const Lease connection = lease(call);
    return redis::loose_writes(reader(connection, call), query);
  }

  Page<Message> messages(const MessageList& query, const Call& call) override {
    const Lease connection = lease(call);
    return redis::messages(reader(connection, call), query);
  }
  std::optional<Message> message(const MessageQuery& query, const Call& call) override {
    const Lease connection = lease(call);
    return redis::message(reader(connection, call), query);
  }
  std::vector<std::string> streams(const ThreadQuery& query, const Call& call) override {
    const Lease connection = lease(call);
    return redis::streams(reader(connection, call), query);
  }
  std::uint64_t count_messages(const MessageList& query, const Call& call) override {
    const Lease connection = lease(call);
    return redis::count_messages(reader(connection, call), query);
  }
  std::optional<StateDocument> state(const StateQuery& query, const Call& call) override {
    const Lease connection = lease(call);
    return redis::state(reader(connection, call), query);
  }
  Page<StateDocument> states(const StateList& query, const Call& call) override {
    const Lease connection = lease(call);
    return redis::states(reader(connection, call), query);
  }
  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) override {
    const Lease connection = lease(call);
    return redis::thread(reader(connection, call), query);
  }

  StoreStats stats(const StatsQuery& query, const Call& call) override {
    const Lease connection = lease(call);
    return redis::stats(reader(connection, call), query);
  }

  Capabilities capabilities() const override {
    return {.name = "redis",
            .durable = database_->settings().durability != Durability::none,
            .blocking = true,
            .max_value_bytes = max_value_bytes,
            .max_concurrent_batches = concurrent_batches,
            .sessions = true};
  }

  Health ping(const Call& call) override {
    try {
      fork_guard_.check();
      return look(*database_, call);
    } catch (const Error& error) {
      return {false, error.what()};
    }
  }

  std::vector<Finding> examine(const Call& call) override {
    auto findings = Backend::examine(call);
    examine_further(findings, [&] {
      const Lease connection = lease(call);
      redis::examine(*connection, database_->settings(), environment_, call, findings);
    });
    return findings;
  }

  retention::Host* retention() override { return &retention_; }
  ValueCache* cache() override { return &cache_; }

  void setup(const Call& call) override {
    fork_guard_.check();
    database_->setup(call);
  }

 private:
  Lease lease(const Call& call) {
    fork_guard_.check();
    return database_->lease(call);
  }
  Reader reader(const Lease& connection, const Call& call) const {
    return {*connection, database_->settings(), call};
  }

  const Environment environment_;
  ForkGuard fork_guard_;
  std::unique_ptr<Database> database_;
  RetentionHost retention_;
  RedisValueCache cache_;
};

}  // namespace

std::unique_ptr<Backend> open(Url& url, const Environment& environment) {
  Settings settings = read_settings(url);
  settings.first_use = environment.first_use;
  return std::make_unique<RedisBackend>(std::move(settings), environment);
}

}  // namespace threadkeep::redis
