// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "threadkeep/backend.hpp"

namespace threadkeep {

class Metrics;  // threadkeep/metrics.hpp
class Store;

/// How a Store runs the calls that do not block their caller.
struct StoreOptions {
  /// Threads that carry out asynchronous calls; they start with the first one.
  std::size_t async_threads = 4;
  /// Asynchronous calls that may wait; one more ends with `unavailable` at once.
  std::size_t async_queue = 10'000;
  /// Where the queue of those calls is counted; null: Metrics::process().
  std::shared_ptr<Metrics> metrics{};
};

/// An asynchronous read. Exactly one of the two functions is called, once, on a thread of the store
/// or (refuse only) inside submit; it must not block on other calls of the same store.
class ReadTask {
 public:
  virtual ~ReadTask() = default;
  /// Carries out the read: every earlier asynchronous call of its thread has ended.
  virtual void run(Store& store) noexcept = 0;
  /// The read is not carried out: the queue is full, or it was cancelled or too late.
  virtual void refuse(Error error) noexcept = 0;
};

/// An asynchronous write. done() is called once, on a thread of the store or inside submit.
class WriteTask {
 public:
  virtual ~WriteTask() = default;
  virtual void done(Outcome outcome) noexcept = 0;
};

/// An open store: a backend, checks at its door, and group commit. Checkpointer and SessionStore
/// are built on it.
///
/// Every request passes here once: ids and JSON are validated, metadata is normalised, sizes are
/// held against the backend's limits, messages and pops without an id get one, before anything is
/// written. Writes that arrive while others
/// are under way are applied together in one batch; each still has its own outcome. Writes of one
/// thread keep their order; those that span threads wait for all earlier ones and hold up later
/// ones. Thread-safe. The destructor waits for calls under way and refuses those that wait.
class Store {
 public:
  explicit Store(std::unique_ptr<Backend> backend, StoreOptions options = {});
  ~Store();

  /// Carries out one mutation, possibly in a batch with those of other threads. Throws Error.
  Written write(Mutation mutation, const Call& call);
  /// Carries out many; outcomes in the same order. Invalid ones end as outcomes too.
  std::vector<Outcome> write_all(std::vector<Mutation> mutations, const Call& call);

  std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call);
  Page<CheckpointTuple> list(const CheckpointList& query, const Call& call);
  std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call);
  Page<ThreadInfo> threads(const ThreadList& query, const Call& call);
  /// See Backend::loose_writes.
  std::vector<PutWrites> loose_writes(const LooseWritesQuery& query, const Call& call);
  /// These and the writes of messages and state are `unsupported` without Capabilities::sessions.
  Page<Message> messages(const MessageList& query, const Call& call);
  std::optional<Message> message(const MessageQuery& query, const Call& call);
  std::uint64_t count_messages(const MessageList& query, const Call& call);
  std::optional<StateDocument> state(const StateQuery& query, const Call& call);
  Page<StateDocument> states(const StateList& query, const Call& call);
  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call);
  std::vector<std::string> streams(const ThreadQuery& query, const Call& call);
  Capabilities capabilities() const;
  Health ping(const Call& call);
  /// See Backend::examine.
  std::vector<Finding> examine(const Call& call);
  /// See Backend::stats.
  StoreStats stats(const StatsQuery& query, const Call& call);
  void setup(const Call& call);
  /// See Backend::setup_script.
  std::string setup_script(SetupRole role, const std::string& grantee = {}) const;
  /// See Backend::sql. Lives as long as this store.
  SqlHost* sql();
  /// See Backend::retention. Lives as long as this store.
  retention::Host* retention();

  /// Queues a write; see WriteTask. Asynchronous calls of one thread keep their order, reads
  /// included.
  void submit(Mutation mutation, const Call& call, std::unique_ptr<WriteTask> task);
  /// Queues a read of `thread_id`; an empty one waits for no other call.
  void submit(std::string thread_id, const Call& call, std::unique_ptr<ReadTask> task);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace threadkeep
