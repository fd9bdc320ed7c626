// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "threadkeep/bytes.hpp"

/// \file
/// What a store keeps and how it is asked for.
///
/// Ids (thread, namespace, checkpoint, task, channel, version) are any UTF-8 but U+0000, at most
/// max_id_bytes long, and are ordered bytewise on every backend. JSON travels as UTF-8 text; two
/// texts are equal when their values are (key order, spacing and 1 against 1.0 do not matter, the
/// last of duplicate keys counts).

namespace threadkeep {

inline constexpr std::size_t max_id_bytes = 512;

/// Most channels of a checkpoint, new values that go with it, writes that go together, and members
/// of a document or metadata. Memory goes with their number, which else could be any that fits.
inline constexpr std::size_t max_channels = 100'000;

/// The type tag that marks a blob as "this channel has no value at this version". It is stored like
/// any other, and left out of what is read.
inline constexpr char empty_type[] = "empty";

/// The value of one channel at one version: a type tag and bytes. It belongs to a thread and a
/// namespace, is shared by every checkpoint whose channel_versions name it, and never changes: a
/// second value for the same (channel, version) is ignored.
struct Blob {
  std::string channel;
  std::string version;
  std::string type;
  Bytes data;

  friend bool operator==(const Blob&, const Blob&) = default;
};

/// What a task of a super-step wrote to a channel before the next checkpoint existed.
/// Regular writes have idx >= 0 and the first one with a key stays; special channels (errors,
/// interrupts, resume values) have idx < 0 and the last one stays. Decided for each row.
struct PendingWrite {
  std::string task_id;
  std::int32_t idx = 0;
  std::string channel;
  std::string task_path;
  std::string type;
  Bytes data;

  friend bool operator==(const PendingWrite&, const PendingWrite&) = default;
};

/// A checkpoint as it is read back.
struct CheckpointTuple {
  std::string thread_id;
  std::string checkpoint_ns;
  std::string checkpoint_id;
  std::optional<std::string> parent_checkpoint_id;
  /// A JSON object. threadkeep reads two of its members: `channel_versions` (channel to version,
  /// a string or a number) says which blobs belong to the checkpoint, `channel_values` holds the
  /// values kept inline. The rest is the runtime's own.
  std::string document;
  std::string metadata;              ///< A JSON object.
  std::vector<Blob> values;          ///< Ordered by channel; without the inline ones.
  std::vector<PendingWrite> writes;  ///< Ordered by (task_path, task_id, idx).
};

/// Which parts of a checkpoint to read beside its document and metadata.
struct Include {
  bool values = true;
  bool writes = true;
};

/// One checkpoint: the given one, or the latest (the greatest checkpoint_id) of the namespace.
struct CheckpointQuery {
  std::string thread_id;
  std::string checkpoint_ns;
  std::optional<std::string> checkpoint_id;
  Include include;
};

/// The top-level metadata member `key` must be there and equal the JSON text `value` by value.
/// A missing member never matches, not even null.
struct MetadataEquals {
  std::string key;
  std::string value;
};

/// Checkpoints, newest first: by checkpoint_id descending, then thread and namespace ascending.
/// Members that are set narrow the list; all filters must hold.
struct CheckpointList {
  std::optional<std::string> thread_id;      ///< Absent: all threads. Meant for small stores.
  std::optional<std::string> checkpoint_ns;  ///< Absent: all namespaces; "" is the root only.
  std::optional<std::string> checkpoint_id;
  std::optional<std::string> before;  ///< Strictly smaller checkpoint ids only.
  std::vector<MetadataEquals> filter;
  Include include;
  std::size_t limit = 100;                   ///< Items of a page at most; 0 gives an empty page.
  std::size_t max_bytes = 32 * 1024 * 1024;  ///< A page ends early above this, after one item.
  std::string cursor;                        ///< Page::next of the page before; "" starts.
};

/// One page of a listing. `next` is the cursor of the following page, "" when there is none.
/// A cursor holds its own position: it stays valid when rows come and go, and is refused as
/// invalid_argument when damaged or used with another query.
template <class T>
struct Page {
  std::vector<T> items;
  std::string next;
};

/// What it takes to rebuild delta channels at a checkpoint: asks for `channels` along the
/// ancestors of the given (or latest) checkpoint.
struct HistoryQuery {
  std::string thread_id;
  std::string checkpoint_ns;
  std::optional<std::string> checkpoint_id;
  std::vector<std::string> channels;
};

/// The history of one channel. Only ancestors count, found by parent ids; the queried
/// checkpoint's own value and writes do not. The seed is the value at the nearest ancestor that
/// has one; writes are those on that ancestor and after it, oldest first.
struct ChannelHistory {
  std::string channel;
  std::optional<Blob> seed;                ///< A stored value, or ...
  std::optional<std::string> inline_seed;  ///< ... JSON text of an inline one; never both.
  std::vector<PendingWrite> writes;

  friend bool operator==(const ChannelHistory&, const ChannelHistory&) = default;
};

/// The pending writes of a thread that no checkpoint shows: theirs may come later, or never. By
/// namespace and checkpoint id, those after `after` only.
struct LooseWritesQuery {
  std::string thread_id;
  std::optional<std::pair<std::string, std::string>> after;  ///< checkpoint_ns, checkpoint_id.
  std::size_t limit = 100;                                   ///< Checkpoint ids at most.
};

/// A thread without its checkpoints. Times are microseconds since 1970 UTC, have a granularity of
/// a minute, and are data only: order never depends on them. 0 is an unknown time: of a thread that
/// another program stored.
struct ThreadInfo {
  std::string thread_id;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;  ///< The last stored checkpoint, write or change, to the minute.
  std::int64_t revision = 0;    ///< Counts mutations that changed messages, state or metadata.
  std::string metadata = "{}";  ///< A JSON object set by put_thread.

  friend bool operator==(const ThreadInfo&, const ThreadInfo&) = default;
};

/// Threads ordered by thread_id. A thread is listed from its first checkpoint, message, state
/// document or put_thread on.
struct ThreadList {
  std::vector<MetadataEquals> filter;  ///< Over the thread's own metadata.
  std::size_t limit = 100;
  std::string cursor;
};

}  // namespace threadkeep
