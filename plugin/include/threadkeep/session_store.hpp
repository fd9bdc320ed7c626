// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "threadkeep/store.hpp"

namespace threadkeep {

/// The newest messages of a stream.
struct TailQuery {
  std::string thread_id;
  std::string stream;
  std::size_t count = 100;
  Filter filter;
};

/// What an agent runtime calls for messages and state: appends, reads pages by cursor, changes
/// documents by version. Every function blocks, throws Error, and honours the deadline of its call
/// (30 s unless told otherwise). Thread-safe; copies share the store. `unsupported` on a store
/// without Capabilities::sessions.
class SessionStore {
 public:
  explicit SessionStore(std::shared_ptr<Store> store);

  Written append(AppendMessages append, const Call& call = {});
  Written update(UpdateMessage update, const Call& call = {});
  Written remove(RemoveMessages removal, const Call& call = {});
  /// The popped messages are in Written::messages.
  Written pop(PopMessages pop, const Call& call = {});
  Written clear(ClearMessages clear, const Call& call = {});

  /// An absent thread or stream has no messages.
  Page<Message> messages(const MessageList& query, const Call& call = {});
  /// The newest that pass the filter, oldest of them first. Held in memory at once, whatever they
  /// weigh.
  std::vector<Message> tail(const TailQuery& query, const Call& call = {});
  std::optional<Message> message(const MessageQuery& query, const Call& call = {});
  /// What all pages of the list would hold.
  std::uint64_t count(const MessageList& query, const Call& call = {});

  Written change_state(ChangeState change, const Call& call = {});
  /// `expected_version`: see StateChange.
  Written put_state(StateScope scope, std::string key, std::string value,
                    std::optional<std::int64_t> expected_version = {}, const Call& call = {});
  Written merge_state(StateScope scope, std::string key, std::string patch,
                      std::optional<std::int64_t> expected_version = {}, const Call& call = {});
  Written delete_state(StateScope scope, std::string key,
                       std::optional<std::int64_t> expected_version = {}, const Call& call = {});
  std::optional<StateDocument> state(const StateQuery& query, const Call& call = {});
  Page<StateDocument> states(const StateList& query, const Call& call = {});

  /// The thread with its revision; empty when it is not listed.
  std::optional<ThreadInfo> thread(const ThreadQuery& query, const Call& call = {});

  const std::shared_ptr<Store>& store() const noexcept { return store_; }

 private:
  std::shared_ptr<Store> store_;
};

/// SessionStore::tail on a bare store.
std::vector<Message> read_tail(Store& store, const TailQuery& query, const Call& call);

}  // namespace threadkeep
