// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "memory/tables.hpp"

namespace threadkeep::memory {

namespace {

// Fills a page from a range of map entries; `position` makes the cursor of an item.
template <class Item, class Range, class Matches, class Position>
Page<Item> fill(const Range& range, std::size_t limit, std::size_t max_bytes, Matches matches,
                Position position) {
  Page<Item> page;
  std::size_t bytes = 0;
  for (auto at = range.first; at != range.second && limit > 0; ++at) {
    const Item& item = at->second;
    if (!matches(item)) continue;
    if (page.items.size() >= limit || (!page.items.empty() && bytes >= max_bytes)) {
      page.next = position(page.items.back());
      break;
    }
    page.items.push_back(item);
    bytes += weight(item);
  }
  return page;
}

}  // namespace

const Tables::Stream* Tables::find_stream(const MessageList& query) const {
  const Thread* thread = find_thread(query.thread_id);
  if (!thread) return nullptr;
  const auto stream = thread->streams.find(query.stream);
  return stream == thread->streams.end() ? nullptr : &stream->second;
}

const Tables::Documents* Tables::find_documents(const StateScope& scope) const {
  if (!scope.thread_id.empty()) {
    const Thread* thread = find_thread(scope.thread_id);
    return thread ? &thread->state : nullptr;
  }
  const auto found = scopes_.find(scope.name);
  return found == scopes_.end() ? nullptr : &found->second;
}

Page<Message> Tables::messages(const MessageList& query) const {
  const MessageFilter filter(query.filter);
  const CursorCodec codec(query);
  std::optional<std::int64_t> at;
  if (!query.cursor.empty()) at = read_seq_cursor(codec, query.cursor);
  const Stream* stream = find_stream(query);
  if (!stream) return {};
  const auto matches = [&](const Message& m) { return filter.matches(m.role, m.metadata); };
  const auto position = [&](const Message& m) { return codec.encode({std::to_string(m.seq)}); };
  const auto& messages = stream->messages;
  const auto first = messages.upper_bound(query.after);
  if (query.direction == Direction::forward) {
    const auto begin = messages.upper_bound(std::max(query.after, at.value_or(query.after)));
    return fill<Message>(std::pair(begin, messages.end()), query.limit, query.max_bytes, matches,
                         position);
  }
  const auto last = at ? messages.lower_bound(*at) : messages.end();
  const bool none = at && *at <= query.after;
  const auto end = std::make_reverse_iterator(first);
  return fill<Message>(std::pair(none ? end : std::make_reverse_iterator(last), end), query.limit,
                       query.max_bytes, matches, position);
}

std::optional<Message> Tables::message(const MessageQuery& query) const {
  const Thread* thread = find_thread(query.thread_id);
  const Message* found = thread ? find(*thread, query.id) : nullptr;
  if (!found) return {};
  return *found;
}

std::vector<std::string> Tables::streams(const ThreadQuery& query) const {
  std::vector<std::string> names;
  const Thread* thread = find_thread(query.thread_id);
  if (!thread) return names;
  for (const auto& [name, stream] : thread->streams) {
    if (!stream.messages.empty()) names.push_back(name);
  }
  return names;
}

std::uint64_t Tables::count_messages(const MessageList& query) const {
  const MessageFilter filter(query.filter);
  const Stream* stream = find_stream(query);
  if (!stream) return 0;
  const auto begin = stream->messages.upper_bound(query.after);
  return static_cast<std::uint64_t>(std::count_if(
      begin, stream->messages.end(),
      [&](const auto& entry) { return filter.matches(entry.second.role, entry.second.metadata); }));
}

std::optional<StateDocument> Tables::state(const StateQuery& query) const {
  const Documents* documents = find_documents(query.scope);
  if (!documents) return {};
  const auto found = documents->find(query.key);
  if (found == documents->end()) return {};
  return found->second;
}

Page<StateDocument> Tables::states(const StateList& query) const {
  const CursorCodec codec(query);
  // Keys are not empty, so every one is greater than the empty string.
  const std::string after = query.cursor.empty() ? "" : codec.decode(query.cursor, 1).front();
  const Documents* documents = find_documents(query.scope);
  if (!documents) return {};
  return fill<StateDocument>(
      std::pair(documents->upper_bound(after), documents->end()), query.limit, query.max_bytes,
      [](const StateDocument&) { return true; },
      [&](const StateDocument& document) { return codec.encode({document.key}); });
}

}  // namespace threadkeep::memory
