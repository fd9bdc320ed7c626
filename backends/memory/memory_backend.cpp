// SPDX-License-Identifier: Apache-2.0
#include "memory/memory_backend.hpp"

#include <mutex>
#include <shared_mutex>
#include <utility>

#include "findings.hpp"
#include "memory/journal.hpp"
#include "memory/retention.hpp"
#include "memory/tables.hpp"
#include "memory/value_cache.hpp"

namespace threadkeep::memory {

namespace {

class MemoryBackend final : public Backend {
 public:
  explicit MemoryBackend(const Environment& environment)
      : tables_(environment), cache_(environment.now), journal_(environment.now) {}

  std::vector<Outcome> apply(std::span<const Mutation> batch, const Call& call) override {
    const std::unique_lock lock(mutex_);
    std::vector<Outcome> outcomes;
    for (const Mutation& mutation : batch) outcomes.push_back(apply_one(mutation, call));
    return outcomes;
  }

  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.get(query);
  }
  Page<CheckpointTuple> list(const CheckpointList& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.list(query);
  }
  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.history(query);
  }
  Page<ThreadInfo> threads(const ThreadList& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.threads(query);
  }
  std::vector<PutWrites> loose_writes(const LooseWritesQuery& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.loose_writes(query);
  }

  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.thread(query);
  }
  Page<Message> messages(const MessageList& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.messages(query);
  }
  std::vector<std::string> streams(const ThreadQuery& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.streams(query);
  }
  std::optional<Message> message(const MessageQuery& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.message(query);
  }
  std::uint64_t count_messages(const MessageList& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.count_messages(query);
  }
  std::optional<StateDocument> state(const StateQuery& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.state(query);
  }
  Page<StateDocument> states(const StateList& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.states(query);
  }

  StoreStats stats(const StatsQuery& query, const Call&) override {
    const std::shared_lock lock(mutex_);
    return tables_.stats(query);
  }

  Capabilities capabilities() const override {
    return {.name = "memory",
            .durable = false,
            .blocking = false,
            .max_value_bytes = std::size_t{1} << 30,
            .max_concurrent_batches = 1,
            .sessions = true};
  }
  Health ping(const Call&) override { return {true, "in this process; not durable"}; }
  std::vector<Finding> examine(const Call&) override {
    return {warning("durability", "threads end with the process",
                    "for threads that stay, name another store, such as sqlite:threads.db")};
  }
  void setup(const Call&) override {}
  retention::Host* retention() override { return &retention_; }
  ValueCache* cache() override { return &cache_; }
  Journal* journal() override { return &journal_; }

 private:
  Outcome apply_one(const Mutation& mutation, const Call& call) {
    const std::string_view operation = operation_name(mutation);
    if (call.deadline.passed())
      return {{}, Error(Code::timeout, "nothing was done", {}, operation)};
    try {
      return {std::visit([&](const auto& m) { return tables_.apply(m); }, mutation), {}};
    } catch (const Error& error) {
      return {{}, error.during(operation)};
    }
  }

  TableMutex mutex_;
  Tables tables_;
  RetentionHost retention_{tables_, mutex_};
  MemoryValueCache cache_;
  MemoryJournal journal_;
};

}  // namespace

std::unique_ptr<Backend> open(Url& url, const Environment& environment) {
  if (url.authority() || !url.path().empty()) url.problem("write memory: with nothing after it");
  url.finish();
  return std::make_unique<MemoryBackend>(environment);
}

}  // namespace threadkeep::memory
