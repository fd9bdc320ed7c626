// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "page.hpp"
#include "pipeline.hpp"
#include "reads.hpp"
#include "session_rows.hpp"
#include "threadkeep/session_support.hpp"

namespace threadkeep::postgres {

namespace {

// Of one look at messages that a filter decides about.
constexpr std::int64_t scanned_rows = 5'000;
constexpr std::int64_t scanned_bytes = std::int64_t{4} * 1024 * 1024;

constexpr int there_column = 8;

// The seqs of a listing that are still to come, both ends excluded.
struct Range {
  std::int64_t after;
  std::int64_t before = std::numeric_limits<std::int64_t>::max();

  void go_on_from(Direction direction, std::int64_t seq) {
    direction == Direction::backward ? before = seq : after = std::max(after, seq);
  }
};

Range range_of(const MessageList& query, const CursorCodec& codec) {
  Range range{query.after};
  if (!query.cursor.empty()) {
    range.go_on_from(query.direction, read_seq_cursor(codec, query.cursor));
  }
  return range;
}

// A page from rows that know how many there were before bytes cut them off.
template <class Item, class Read>
Page<Item> take_page(const Result& rows, std::size_t limit, int there, Read read, bool& more) {
  Page<Item> page;
  const std::size_t size = std::min({rows.size(), limit, most_items});
  for (std::size_t row = 0; row < size; ++row) page.items.push_back(read(rows, row));
  more = !rows.empty() && static_cast<std::int64_t>(size) < rows.integer(0, there);
  return page;
}

Page<Message> to_page(const Result& rows, std::size_t limit, const CursorCodec& codec, bool more) {
  bool cut = false;
  auto page = take_page<Message>(rows, limit, there_column, read_message, cut);
  if (cut || more) page.next = codec.encode({std::to_string(page.items.back().seq)});
  return page;
}

Parameters& add_look(Pipeline& pipeline, const Statement& statement, const MessageList& query,
                     std::int64_t rows, std::int64_t bytes) {
  return pipeline.add(statement)
      .text(query.thread_id)
      .text(query.stream)
      .bigint(rows)
      .bigint(bytes);
}

/// Looks for the messages that a filter lets through, without their contents, in one snapshot: a
/// transaction that end() or fetch() ends. One round trip for some thousands of messages.
class Scan {
 public:
  Scan(Connection& connection, const SessionStatements& statements, const MessageList& query,
       const Call& call)
      : connection_(connection), statements_(statements), query_(query), call_(call) {}

  /// Calls `found` with the seq of each until it returns false.
  template <class Found>
  void run(Range range, const MessageFilter& filter, Found found) {
    for (;;) {
      const Result rows = next(range);
      for (std::size_t row = 0; row < rows.size(); ++row) {
        const bool matches = filter.matches(rows.view(row, 3), rows.view(row, 6));
        if (matches && !found(rows.integer(row, 1))) return;
      }
      if (is_last(rows)) return;
      range.go_on_from(query_.direction, rows.integer(rows.size() - 1, 1));
    }
  }

  /// The messages of these seqs, as many as the bytes of a page allow.
  Result fetch(std::span<const std::int64_t> seqs) {
    Pipeline pipeline;
    add_look(pipeline, statements_.in(query_.direction).by_seqs, query_,
             static_cast<std::int64_t>(seqs.size()), clamped(query_.max_bytes))
        .bigint_array(seqs);
    pipeline.add(statements_.end_snapshot);
    return pipeline.run(connection_, Effect::none, call_).front();
  }

  void end() { connection_.run(statements_.end_snapshot, {}, Effect::none, call_); }

 private:
  Result next(const Range& range) {
    Pipeline pipeline;
    if (!connection_.in_transaction()) pipeline.add(statements_.begin_snapshot);
    add_look(pipeline, statements_.in(query_.direction).scan, query_, scanned_rows, scanned_bytes)
        .bigint(range.after)
        .bigint(range.before);
    return pipeline.run(connection_, Effect::none, call_).back();
  }

  static bool is_last(const Result& rows) {
    if (rows.empty()) return true;
    const std::int64_t there = rows.integer(0, there_column);
    return there < scanned_rows && static_cast<std::int64_t>(rows.size()) == there;
  }

  Connection& connection_;
  const SessionStatements& statements_;
  const MessageList& query_;
  const Call& call_;
};

Page<Message> filtered(Connection& connection, const SessionStatements& statements,
                       const MessageList& query, const MessageFilter& filter,
                       const CursorCodec& codec, const Call& call) {
  const std::size_t limit = std::min(query.limit, most_items);
  std::vector<std::int64_t> seqs;
  bool more = false;
  Scan scan(connection, statements, query, call);
  scan.run(range_of(query, codec), filter, [&](std::int64_t seq) {
    more = seqs.size() == limit;
    if (!more) seqs.push_back(seq);
    return !more;
  });
  return to_page(scan.fetch(seqs), limit, codec, more);
}

}  // namespace

Page<Message> messages(Connection& connection, const SessionStatements& statements,
                       const MessageList& query, const Call& call) {
  const MessageFilter filter(query.filter);
  const CursorCodec codec(query);
  const Range range = range_of(query, codec);
  if (query.limit == 0) return {};
  if (!filter.empty()) return filtered(connection, statements, query, filter, codec, call);
  Pipeline pipeline;
  add_look(pipeline, statements.in(query.direction).page, query, rows_for(query.limit),
           clamped(query.max_bytes))
      .bigint(range.after)
      .bigint(range.before);
  return to_page(pipeline.run(connection, Effect::none, call).front(), query.limit, codec, false);
}

std::optional<Message> message(Connection& connection, const SessionStatements& statements,
                               const MessageQuery& query, const Call& call) {
  Parameters parameters;
  parameters.text(query.thread_id).text_array({&query.id, 1});
  const Result rows =
      connection.run(statements.messages, std::move(parameters), Effect::none, call);
  if (rows.empty()) return {};
  return read_message(rows, 0);
}

std::vector<std::string> streams(Connection& connection, const SessionStatements& statements,
                                 const ThreadQuery& query, const Call& call) {
  Parameters parameters;
  parameters.text(query.thread_id);
  const Result rows = connection.run(statements.streams, std::move(parameters), Effect::none, call);
  std::vector<std::string> names;
  for (std::size_t row = 0; row < rows.size(); ++row) names.push_back(rows.text(row, 0));
  return names;
}

std::uint64_t count_messages(Connection& connection, const SessionStatements& statements,
                             const MessageList& query, const Call& call) {
  const MessageFilter filter(query.filter);
  std::uint64_t count = 0;
  if (filter.empty()) {
    Parameters parameters;
    parameters.text(query.thread_id).text(query.stream).bigint(query.after);
    const Result rows = connection.run(statements.count, std::move(parameters), Effect::none, call);
    return static_cast<std::uint64_t>(rows.integer(0, 0));
  }
  Scan scan(connection, statements, query, call);
  scan.run({query.after}, filter, [&](std::int64_t) { return ++count > 0; });
  scan.end();
  return count;
}

std::optional<StateDocument> state(Connection& connection, const SessionStatements& statements,
                                   const StateQuery& query, const Call& call) {
  Parameters parameters;
  parameters.text(query.scope.lane()).text_array({&query.key, 1});
  const Result rows =
      connection.run(statements.of(query.scope).find, std::move(parameters), Effect::none, call);
  if (rows.empty()) return {};
  return read_document(rows, 0);
}

Page<StateDocument> states(Connection& connection, const SessionStatements& statements,
                           const StateList& query, const Call& call) {
  const CursorCodec codec(query);
  // Keys are not empty, so every one is greater than the empty string.
  const std::string after = query.cursor.empty() ? "" : codec.decode(query.cursor, 1).front();
  if (query.limit == 0) return {};
  Parameters parameters;
  parameters.text(query.scope.lane()).text(after).bigint(rows_for(query.limit));
  parameters.bigint(clamped(query.max_bytes));
  const Result rows =
      connection.run(statements.of(query.scope).list, std::move(parameters), Effect::none, call);
  bool more = false;
  auto page = take_page<StateDocument>(rows, query.limit, 3, read_document, more);
  if (more) page.next = codec.encode({page.items.back().key});
  return page;
}

}  // namespace threadkeep::postgres
