// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "threadkeep/model.hpp"
#include "threadkeep/session_model.hpp"
#include "threadkeep/stats.hpp"

/// \file
/// What every backend must decide alike, for authors of backends: the truth of filters, the reading
/// of documents, cursors, and what delta channels need. All functions are pure.

namespace threadkeep {

/// The two members of a document that a store reads.
struct DocumentChannels {
  /// Channel and version, in document order. A version that is a number appears as its JSON text.
  std::vector<std::pair<std::string, std::string>> versions;
  /// Channels with a value in `channel_values`, and that value as JSON text.
  std::vector<std::pair<std::string, std::string>> inline_values;
};

/// Throws Error(corrupt) when the text is not a JSON object.
DocumentChannels read_document(std::string_view document);

/// The channels that metadata member `counters_since_delta_snapshot` names: their value at this
/// checkpoint has to be rebuilt from its ancestors. Empty for nearly all checkpoints.
std::vector<std::string> delta_channels(std::string_view metadata);

/// The string member `run_id` of the metadata, by which DeleteRuns finds a checkpoint.
std::optional<std::string> run_id(std::string_view metadata);

/// Equality by value of two JSON texts; see model.hpp.
bool json_equal(std::string_view a, std::string_view b);

/// The size by which CheckpointList::max_bytes counts an item: a page ends with the item that
/// reaches it.
std::size_t weight(const CheckpointTuple& tuple) noexcept;

/// How stale a thread's updated_at must be before it is written again, in microseconds.
inline constexpr std::int64_t touch_granularity = 60'000'000;

/// A filter over metadata, parsed once. Const use is thread-safe.
class MetadataFilter {
 public:
  /// Throws Error(invalid_argument) when a value is not JSON.
  explicit MetadataFilter(const std::vector<MetadataEquals>& conditions);
  ~MetadataFilter();
  MetadataFilter(MetadataFilter&&) noexcept;
  MetadataFilter& operator=(MetadataFilter&&) noexcept;

  bool empty() const noexcept;
  bool matches(std::string_view metadata) const;

 private:
  struct Condition;
  std::vector<Condition> conditions_;
};

/// Collects what Backend::stats has to say of threads and of checkpoints, a part at a time.
class StatsCollector {
 public:
  explicit StatsCollector(std::size_t largest) : largest_(largest) {}

  void add_thread(ThreadSize thread);
  /// `count` checkpoints with the time of this id, or none where it tells none.
  void add_checkpoint(std::string_view id, std::uint64_t count = 1);

  /// The largest threads and the days.
  void finish(StoreStats& stats);

 private:
  const std::size_t largest_;
  std::vector<ThreadSize> threads_;  // a heap, the smallest one first
  std::map<std::int64_t, std::uint64_t> days_;
};

/// Writes and reads the cursors of listings: base64url of a version byte, a fingerprint of the
/// query, the position, and a checksum over all of it.
class CursorCodec {
 public:
  /// The fingerprint covers what selects and orders, not the page size.
  explicit CursorCodec(const CheckpointList& query);
  explicit CursorCodec(const ThreadList& query);
  explicit CursorCodec(const MessageList& query);
  explicit CursorCodec(const StateList& query);

  /// `position`: the key of the last row of the page, in the order of the listing.
  std::string encode(const std::vector<std::string>& position) const;
  /// Throws Error(invalid_argument) for a damaged cursor, one of another query or version, or one
  /// that does not have `parts` parts.
  std::vector<std::string> decode(std::string_view cursor, std::size_t parts) const;

 private:
  std::uint64_t fingerprint_ = 0;
};

/// A checkpoint as far as the dependencies of delta channels go.
struct CheckpointNode {
  std::string checkpoint_id;
  std::optional<std::string> parent_checkpoint_id;
  std::vector<std::string> delta_channels;  ///< See delta_channels().
  std::set<std::string> valued_channels;    ///< Channels with a stored or inline value here.
};

/// The checkpoints of one thread and namespace, and what each needs of its ancestors.
class DeltaDependencies {
 public:
  explicit DeltaDependencies(std::vector<CheckpointNode> nodes);

  /// The ancestors of a checkpoint that its delta channels are rebuilt from: for each such channel
  /// all up to the nearest one with a value, that one included.
  std::set<std::string> needed_by(const std::string& checkpoint_id) const;

 private:
  std::unordered_map<std::string, CheckpointNode> nodes_;
};

}  // namespace threadkeep
