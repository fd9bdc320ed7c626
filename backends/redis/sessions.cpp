// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "reads.hpp"
#include "script_call.hpp"
#include "session_layout.hpp"
#include "threadkeep/backend_support.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep::redis {

namespace {

// Rows that are read at once where a filter decides which of them count.
constexpr std::size_t filtered_rows = 256;
constexpr std::size_t filtered_bytes = 1024 * 1024;
constexpr std::size_t most_rows = 1000;

/// Members of the index between two bounds, which are as ZRANGEBYLEX takes them.
struct Range {
  StateScope scope;
  std::string lower;
  std::string upper;
  bool backward = false;
};

/// How much of a range is read at once.
struct Piece {
  std::size_t rows;
  std::size_t bytes;
  bool without_content = false;
};

Reply call_one(const Reader& reader, const Script& script, const StateScope& scope,
               std::vector<std::string> arguments) {
  const auto ttl = scope.thread_id.empty() ? 0 : reader.settings.ttl.count();
  arguments.insert(arguments.begin(), {scope.thread_id, std::to_string(ttl)});
  const Keys keys(reader.settings.prefix, scope);
  return call_script(reader.connection, script, {{keys, std::move(arguments)}}, reader.call)
      .front();
}

/// Reads a range piece by piece.
class Rows {
 public:
  Rows(const Reader& reader, Range range) : reader_(reader), range_(std::move(range)) {}

  /// False when the thread was deleted since the last piece; then all is to be read anew.
  bool read(const Piece& piece) {
    const Reply reply = call_one(
        reader_, scripts::rows, range_.scope,
        {range_.lower, range_.upper, range_.backward ? "1" : "", std::to_string(piece.rows),
         std::to_string(piece.bytes), piece.without_content ? "1" : ""});
    const bool same = !generation_ || *generation_ == reply[0].view();
    generation_ = reply[0].text();
    more_ = reply[1].integer() == 1;
    rows_ = reply[2];
    if (size() == 0) return same;
    (range_.backward ? range_.upper : range_.lower) = "(" + rows_[2 * (size() - 1)].text();
    return same;
  }

  std::size_t size() const { return rows_.size() / 2; }
  std::string_view member(std::size_t row) const { return rows_[2 * row].view(); }
  std::string_view value(std::size_t row) const { return rows_[2 * row + 1].view(); }
  /// There are rows behind these.
  bool more() const noexcept { return more_; }

 private:
  const Reader& reader_;
  Range range_;
  std::optional<std::string> generation_;
  Reply rows_;
  bool more_ = false;
};

/// What a page is made of: `decode` a row, `passes` it, `position` of it in a cursor.
template <class Item, class Decode, class Passes, class Position>
struct PageOf {
  std::size_t limit;
  std::size_t max_bytes;
  bool filtered;
  Decode decode;
  Passes passes;
  Position position;

  // Empty when the thread was deleted meanwhile.
  std::optional<Page<Item>> read(Rows rows) const {
    Page<Item> page;
    std::size_t bytes = 0;
    const auto full = [&] {
      return page.items.size() >= limit || (!page.items.empty() && bytes >= max_bytes);
    };
    for (;;) {
      if (!rows.read(piece(page.items.size(), bytes))) return {};
      for (std::size_t i = 0; i < rows.size(); ++i) {
        Item item = decode(rows.member(i), rows.value(i));
        if (!passes(item)) continue;
        if (full()) return end(std::move(page));
        bytes += weight(item);
        page.items.push_back(std::move(item));
      }
      if (!rows.more()) return page;
      if (!filtered && full()) return end(std::move(page));
    }
  }

 private:
  Piece piece(std::size_t items, std::size_t bytes) const {
    if (filtered) return {filtered_rows, filtered_bytes};
    return {std::min(limit - items, most_rows), max_bytes > bytes ? max_bytes - bytes : 1};
  }
  Page<Item> end(Page<Item> page) const {
    page.next = position(page.items.back());
    return page;
  }
};

template <class Page>
auto read_page(const Reader& reader, const Range& range, const Page& page) {
  for (;;) {
    if (auto found = page.read(Rows(reader, range))) return std::move(*found);
  }
}

template <class Item, class Decode, class Passes, class Position>
auto page_of(std::size_t limit, std::size_t max_bytes, bool filtered, Decode decode, Passes passes,
             Position position) {
  return PageOf<Item, Decode, Passes, Position>{limit,  max_bytes, filtered,
                                                decode, passes,    position};
}

// Both ends of seqs are excluded.
Range range_of(const MessageList& query, std::int64_t after,
               std::optional<std::int64_t> before = {}) {
  const auto& stream = query.stream;
  std::string upper = "(" + stream_start(stream);
  upper.back() = '\1';
  if (before) upper = "(" + seq_start(stream, std::max<std::int64_t>(*before, 0));
  return {StateScope::of_thread(query.thread_id),
          "[" + seq_start(stream, std::max<std::int64_t>(after, 0)) + '\1', upper,
          query.direction == Direction::backward};
}

Range range_of(const MessageList& query, const CursorCodec& codec) {
  if (query.cursor.empty()) return range_of(query, query.after);
  const std::int64_t at = read_seq_cursor(codec, query.cursor);
  if (query.direction == Direction::backward) return range_of(query, query.after, at);
  return range_of(query, std::max(query.after, at));
}

// How many rows pass; empty when the thread was deleted meanwhile.
std::optional<std::uint64_t> count_passing(Rows rows, const MessageFilter& filter) {
  std::uint64_t count = 0;
  do {
    if (!rows.read({most_rows, filtered_bytes, true})) return {};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Message message = decode_message(rows.member(i), rows.value(i));
      count += filter.matches(message.role, message.metadata) ? 1 : 0;
    }
  } while (rows.more());
  return count;
}

}  // namespace

Page<Message> messages(const Reader& reader, const MessageList& query) {
  const MessageFilter filter(query.filter);
  const CursorCodec codec(query);
  const Range range = range_of(query, codec);
  if (query.limit == 0) return {};
  return read_page(
      reader, range,
      page_of<Message>(
          query.limit, query.max_bytes, !filter.empty(), decode_message,
          [&](const Message& m) { return filter.empty() || filter.matches(m.role, m.metadata); },
          [&](const Message& m) { return codec.encode({std::to_string(m.seq)}); }));
}

std::optional<Message> message(const Reader& reader, const MessageQuery& query) {
  const Reply found =
      call_one(reader, scripts::message, StateScope::of_thread(query.thread_id), {query.id});
  if (found.size() == 0) return {};
  return decode_message(found[0].view(), found[1].view());
}

std::vector<std::string> streams(const Reader& reader, const ThreadQuery& query) {
  const Reply found =
      call_one(reader, scripts::streams, StateScope::of_thread(query.thread_id), {});
  std::vector<std::string> names;
  for (std::size_t i = 0; i < found.size(); ++i) names.push_back(found[i].text());
  return names;
}

std::uint64_t count_messages(const Reader& reader, const MessageList& query) {
  const MessageFilter filter(query.filter);
  const Range range = range_of(query, query.after);
  if (filter.empty()) {
    const Reply count = call_one(reader, scripts::count, range.scope, {range.lower, range.upper});
    return static_cast<std::uint64_t>(count.integer());
  }
  for (;;) {
    if (const auto count = count_passing(Rows(reader, range), filter)) return *count;
  }
}

std::optional<StateDocument> state(const Reader& reader, const StateQuery& query) {
  Rows rows(reader, {query.scope, "[s" + query.key, "[s" + query.key});
  rows.read({1, 1});
  if (rows.size() == 0) return {};
  return decode_document(query.key, rows.value(0));
}

Page<StateDocument> states(const Reader& reader, const StateList& query) {
  const CursorCodec codec(query);
  const std::string after = query.cursor.empty() ? "" : codec.decode(query.cursor, 1).front();
  if (query.limit == 0) return {};
  return read_page(
      reader, {query.scope, "(s" + after, "(t"},
      page_of<StateDocument>(
          query.limit, query.max_bytes, false,
          [](std::string_view member, std::string_view value) {
            return decode_document(member.substr(1), value);
          },
          [](const StateDocument&) { return true; },
          [&](const StateDocument& document) { return codec.encode({document.key}); }));
}

}  // namespace threadkeep::redis
