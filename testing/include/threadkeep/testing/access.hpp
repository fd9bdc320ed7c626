// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "threadkeep/checkpointer.hpp"
#include "threadkeep/session_store.hpp"

namespace threadkeep::testing {

/// The way in which a test reaches a store.
enum class AccessKind {
  sync,   ///< Checkpointer and SessionStore.
  async,  ///< Their asynchronous forms with futures, on an io_context with a thread of its own.
};

/// "sync" or "async".
std::string to_string(AccessKind kind);

/// The operations of a store behind one of the interfaces for runtimes, so that the body of a test
/// is written once. Every function blocks and throws Error. Thread-safe.
class Access {
 public:
  virtual ~Access() = default;

  /// Calls the function of the interface that stands for the mutation.
  virtual Written write(Mutation mutation, const Call& call) = 0;
  /// The sum over all threads; throws the first error after all were tried.
  virtual Written prune(std::span<const std::string> thread_ids, PruneStrategy strategy,
                        const Call& call) = 0;
  virtual std::optional<CheckpointTuple> get(const CheckpointQuery& query, const Call& call) = 0;
  virtual Page<CheckpointTuple> list(const CheckpointList& query, const Call& call) = 0;
  virtual std::vector<ChannelHistory> history(const HistoryQuery& query, const Call& call) = 0;
  virtual Page<ThreadInfo> threads(const ThreadList& query, const Call& call) = 0;

  virtual Page<Message> messages(const MessageList& query, const Call& call) = 0;
  virtual std::vector<Message> tail(const TailQuery& query, const Call& call) = 0;
  virtual std::optional<Message> message(const MessageQuery& query, const Call& call) = 0;
  virtual std::uint64_t count(const MessageList& query, const Call& call) = 0;
  virtual std::optional<StateDocument> state(const StateQuery& query, const Call& call) = 0;
  virtual Page<StateDocument> states(const StateList& query, const Call& call) = 0;
  virtual std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call) = 0;
};

std::unique_ptr<Access> make_access(AccessKind kind, std::shared_ptr<Store> store);

}  // namespace threadkeep::testing
