// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <deque>
#include <tuple>
#include <utility>

#include "reads.hpp"
#include "registry.hpp"
#include "script_call.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::redis {

namespace {

// Keys that are looked at in one round trip.
constexpr std::size_t least_keys = 16;
constexpr std::size_t most_keys = 256;
// Checkpoints that are read in one round trip at most: a page may end with any of them.
constexpr std::size_t read_at_once = 16;
constexpr std::size_t threads_at_once = 1000;

/// A checkpoint in the order of listings: newest first, then by thread and namespace.
struct ListKey {
  std::string checkpoint_id;
  std::string thread_id;
  std::string checkpoint_ns;

  friend bool operator<(const ListKey& a, const ListKey& b) {
    if (a.checkpoint_id != b.checkpoint_id) return a.checkpoint_id > b.checkpoint_id;
    return std::tie(a.thread_id, a.checkpoint_ns) < std::tie(b.thread_id, b.checkpoint_ns);
  }
};

/// The keys that a query selects, in order. Each namespace of each thread is read from its index,
/// the greatest ids first, and what comes before the last one of any is known to be complete.
class KeyScan {
 public:
  KeyScan(const Reader& reader, const CheckpointList& query, std::optional<ListKey> after)
      : reader_(reader), query_(query), after_(std::move(after)) {
    if (query.thread_id) {
      threads_ = {*query.thread_id};
    } else {
      ThreadNames names(reader.connection, reader.settings, reader.call, "", threads_at_once);
      for (auto some = names.next(threads_at_once); !some.empty();
           some = names.next(threads_at_once)) {
        threads_.insert(threads_.end(), some.begin(), some.end());
      }
    }
    piece_ = std::clamp(query.limit + 2, least_keys, most_keys);
  }

  /// The next keys; none at the end.
  std::vector<ListKey> next() {
    std::vector<ListKey> keys;
    while (keys.empty() && !exhausted_) keys = read();
    return keys;
  }

 private:
  std::string upper() const {
    const auto& before = query_.before;
    if (after_ && (!before || after_->checkpoint_id < *before)) return "[" + after_->checkpoint_id;
    return before ? "(" + *before : "";
  }

  ScriptCall to_call(const std::string& thread) const {
    const auto optional = [](const auto& text) { return text ? "+" + *text : std::string("-"); };
    return {{reader_.settings.prefix, thread},
            {optional(query_.checkpoint_ns), optional(query_.checkpoint_id), upper(),
             std::to_string(piece_)}};
  }

  std::vector<ListKey> read() {
    std::vector<ScriptCall> calls;
    for (const std::string& thread : threads_) calls.push_back(to_call(thread));
    const auto replies = call_script(reader_.connection, scripts::keys, calls, reader_.call);
    std::vector<ListKey> keys;
    std::optional<ListKey> complete_to;
    for (std::size_t i = 0; i < replies.size(); ++i) {
      for (std::size_t n = 0; n < replies[i].size(); ++n) {
        take_namespace(threads_[i], replies[i][n], keys, complete_to);
      }
    }
    std::sort(keys.begin(), keys.end());
    exhausted_ = !complete_to;
    if (complete_to) {
      std::erase_if(keys, [&](const ListKey& key) { return *complete_to < key; });
      after_ = complete_to;
      // Many namespaces may share the one id that a piece ends with.
      piece_ = std::min(piece_ * 2, most_keys);
    }
    return keys;
  }

  void take_namespace(const std::string& thread, const Reply& reply, std::vector<ListKey>& keys,
                      std::optional<ListKey>& complete_to) const {
    const std::string name = reply[0].text();
    for (std::size_t i = 1; i < reply.size(); ++i) {
      ListKey key{reply[i].text(), thread, name};
      const bool last_of_piece = i == piece_ && !query_.checkpoint_id;
      if (last_of_piece && (!complete_to || key < *complete_to)) complete_to = key;
      if (is_selected(key)) keys.push_back(std::move(key));
    }
  }

  bool is_selected(const ListKey& key) const {
    if (query_.before && key.checkpoint_id >= *query_.before) return false;
    return !after_ || *after_ < key;
  }

  const Reader& reader_;
  const CheckpointList& query_;
  std::optional<ListKey> after_;
  std::vector<std::string> threads_;
  std::size_t piece_ = 0;
  bool exhausted_ = false;
};

/// Goes through the checkpoints that a query selects and its filter lets through.
class Listing {
 public:
  Listing(const Reader& reader, const CheckpointList& query, std::optional<ListKey> after)
      : reader_(reader),
        query_(query),
        filter_(query.filter),
        at_once_(std::min(query.limit, read_at_once - 1) + 1),
        keys_(reader, query, std::move(after)) {}

  std::optional<CheckpointTuple> next() {
    while (ready_.empty()) {
      if (matching_.empty() && !find_more()) return {};
      if (!matching_.empty()) read_some();
    }
    auto tuple = std::move(ready_.front());
    ready_.pop_front();
    return tuple;
  }

 private:
  bool find_more() {
    const auto keys = keys_.next();
    if (keys.empty()) return false;
    if (filter_.empty()) {
      matching_.assign(keys.begin(), keys.end());
      return true;
    }
    Pipeline pipeline;
    for (const ListKey& key : keys) {
      const auto field = checkpoint_field(place(key.checkpoint_ns, key.checkpoint_id));
      pipeline.add({"HGET", Keys(reader_.settings.prefix, key.thread_id).thread, field});
    }
    const auto contents = reader_.connection.read(pipeline, reader_.call);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (contents[i].is_nil()) continue;
      if (filter_.matches(decode_content(contents[i].view()).metadata))
        matching_.push_back(keys[i]);
    }
    return true;
  }

  void read_some() {
    std::vector<CheckpointQuery> queries;
    for (std::size_t i = 0; i < std::min(matching_.size(), at_once_); ++i) {
      const ListKey& key = matching_[i];
      queries.push_back({key.thread_id, key.checkpoint_ns, key.checkpoint_id, query_.include});
    }
    // One that was deleted or changed meanwhile is listed as it is now.
    for (auto& tuple : read_checkpoints(reader_, queries, query_.max_bytes)) {
      matching_.pop_front();
      if (tuple && filter_.matches(tuple->metadata)) ready_.push_back(std::move(*tuple));
    }
  }

  const Reader& reader_;
  const CheckpointList& query_;
  const MetadataFilter filter_;
  const std::size_t at_once_;
  KeyScan keys_;
  std::deque<ListKey> matching_;
  std::deque<CheckpointTuple> ready_;
};

std::optional<ListKey> read_cursor(const CursorCodec& codec, const std::string& cursor) {
  if (cursor.empty()) return {};
  auto parts = codec.decode(cursor, 3);
  return ListKey{std::move(parts[0]), std::move(parts[1]), std::move(parts[2])};
}

}  // namespace

Page<CheckpointTuple> list(const Reader& reader, const CheckpointList& query) {
  const CursorCodec codec(query);
  auto after = read_cursor(codec, query.cursor);
  Page<CheckpointTuple> page;
  if (query.limit == 0) return page;
  Listing listing(reader, query, std::move(after));
  std::size_t bytes = 0;
  while (auto tuple = listing.next()) {
    if (page.items.size() >= query.limit || (!page.items.empty() && bytes >= query.max_bytes)) {
      const CheckpointTuple& last = page.items.back();
      page.next = codec.encode({last.checkpoint_id, last.thread_id, last.checkpoint_ns});
      break;
    }
    bytes += weight(*tuple);
    page.items.push_back(std::move(*tuple));
  }
  return page;
}

}  // namespace threadkeep::redis
