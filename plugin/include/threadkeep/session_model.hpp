// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "threadkeep/filter.hpp"

/// \file
/// What a store keeps beside checkpoints, and how it is asked for: messages and state. Ids and JSON
/// are as in model.hpp. Content and values may be any JSON and stay the text that was given.

namespace threadkeep {

/// A message of a stream of a thread. A stream is a name, any id; "" is the default one.
struct Message {
  std::string stream;
  /// Assigned when the message is stored: 1, 2, 3 ... in each stream, in order, without gaps. Never
  /// assigned again in the life of the thread, also not after the message is gone.
  std::int64_t seq = 0;
  std::string id;  ///< Unique in the thread, over all streams.
  std::string role;
  std::string content;          ///< JSON.
  std::string metadata = "{}";  ///< A JSON object.
  std::int64_t created_at = 0;  ///< Microseconds since 1970 UTC; data only, order is by seq.
  std::int64_t version = 0;     ///< 1 when stored, one more with each update.

  friend bool operator==(const Message&, const Message&) = default;
};

/// A message that is to be appended.
struct NewMessage {
  std::string id;  ///< "": Store makes one, a UUID whose text order is its time order.
  std::string role;
  std::string content;
  std::string metadata = "{}";
};

/// In one append, pop or removal.
inline constexpr std::size_t max_messages = 1000;
inline constexpr std::size_t max_pop_bytes = 32 * 1024 * 1024;

enum class Direction {
  forward,   ///< By seq ascending.
  backward,  ///< Newest first.
};

/// The messages of one stream.
struct MessageList {
  std::string thread_id;
  std::string stream;
  Direction direction = Direction::forward;
  std::int64_t after = 0;  ///< Strictly greater seqs only, in both directions.
  Filter filter;
  std::size_t limit = 100;                   ///< Items of a page at most; 0 gives an empty page.
  std::size_t max_bytes = 32 * 1024 * 1024;  ///< A page ends early above this, after one item.
  std::string cursor;                        ///< Page::next of the page before; "" starts.
};

/// One message, in whichever stream it is.
struct MessageQuery {
  std::string thread_id;
  std::string id;
};

/// Whose state it is: exactly one of the two is set. That of a thread goes with it; that of a name
/// (such as "user:7") stays until its documents are deleted.
struct StateScope {
  std::string thread_id;
  std::string name;

  static StateScope of_thread(std::string thread_id) { return {std::move(thread_id), {}}; }
  static StateScope named(std::string name) { return {{}, std::move(name)}; }

  /// What orders its calls; see lane().
  const std::string& lane() const noexcept { return thread_id.empty() ? name : thread_id; }

  friend bool operator==(const StateScope&, const StateScope&) = default;
};

/// A small JSON document. A deleted one that is put again begins at version 1.
struct StateDocument {
  std::string key;
  std::string value;         ///< Any JSON.
  std::int64_t version = 0;  ///< 1 when stored, one more with each change.

  friend bool operator==(const StateDocument&, const StateDocument&) = default;
};

/// One change of a document. A value equal to the stored one changes nothing. A merge follows RFC
/// 7396 (a null in the patch removes a member); what comes out is stored even where it is null.
struct StateChange {
  enum class Kind { put, merge, erase };

  std::string key;
  Kind kind = Kind::put;
  std::string value;  ///< The document, or the patch; unused by erase.
  /// Demand this version, 0 for absent, else `conflict`, also where the value is equal: two callers
  /// who count on from one version put the same. After an `outcome_unknown` read before you repeat.
  std::optional<std::int64_t> expected_version;
};

struct StateQuery {
  StateScope scope;
  std::string key;
};

/// The documents of a scope, by key.
struct StateList {
  StateScope scope;
  std::size_t limit = 100;
  std::size_t max_bytes = 32 * 1024 * 1024;
  std::string cursor;
};

struct ThreadQuery {
  std::string thread_id;
};

}  // namespace threadkeep
