// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "checkpoint_reader.hpp"
#include "reads.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::sqlite {

namespace {

struct Ancestor {
  std::string checkpoint_id;
  std::optional<std::string> parent_checkpoint_id;
  DocumentChannels document;
};

struct Start {
  std::string checkpoint_id;
  std::optional<std::string> parent_checkpoint_id;
};

// The queried checkpoint, whose own values and writes do not count.
std::optional<Start> find_start(Connection& connection, const HistoryQuery& query) {
  Rows rows = query.checkpoint_id
                  ? connection.query(
                        "SELECT checkpoint_id, parent_checkpoint_id FROM checkpoints "
                        "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id = ?3",
                        query.thread_id, query.checkpoint_ns, *query.checkpoint_id)
                  : connection.query(
                        "SELECT checkpoint_id, parent_checkpoint_id FROM checkpoints "
                        "WHERE thread_id = ?1 AND checkpoint_ns = ?2 "
                        "ORDER BY checkpoint_id DESC LIMIT 1",
                        query.thread_id, query.checkpoint_ns);
  if (!rows.next()) return {};
  return Start{rows.text(0), rows.optional_text(1)};
}

std::optional<Ancestor> read_ancestor(Connection& connection, const HistoryQuery& query,
                                      const std::string& checkpoint_id) {
  Rows rows = connection.query(
      "SELECT parent_checkpoint_id, checkpoint FROM checkpoints "
      "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id = ?3",
      query.thread_id, query.checkpoint_ns, checkpoint_id);
  if (!rows.next()) return {};
  return Ancestor{checkpoint_id, rows.optional_text(0), read_document(rows.view(1))};
}

const std::string* find(const std::vector<std::pair<std::string, std::string>>& entries,
                        const std::string& channel) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& entry) { return entry.first == channel; });
  return found == entries.end() ? nullptr : &found->second;
}

bool is_complete(const ChannelHistory& history) {
  return history.seed || history.inline_seed;
}

void find_seed(Connection& connection, const HistoryQuery& query, const Ancestor& ancestor,
               ChannelHistory& history) {
  if (const auto* version = find(ancestor.document.versions, history.channel)) {
    history.seed =
        find_value(connection, query.thread_id, query.checkpoint_ns, history.channel, *version);
  }
  if (history.seed) return;
  if (const auto* value = find(ancestor.document.inline_values, history.channel)) {
    history.inline_seed = *value;
  }
}

// Newest ancestor first, so each one's writes go before those found so far.
void add_writes(const std::vector<PendingWrite>& writes, ChannelHistory& history) {
  std::vector<PendingWrite> older;
  std::copy_if(writes.begin(), writes.end(), std::back_inserter(older),
               [&](const PendingWrite& write) { return write.channel == history.channel; });
  history.writes.insert(history.writes.begin(), older.begin(), older.end());
}

}  // namespace

std::vector<ChannelHistory> history(Connection& connection, const HistoryQuery& query) {
  std::vector<ChannelHistory> histories;
  for (const std::string& channel : query.channels) histories.push_back({channel, {}, {}, {}});
  const auto start = find_start(connection, query);
  if (!start) return histories;
  std::set<std::string> seen{start->checkpoint_id};
  auto next = start->parent_checkpoint_id;
  while (next && seen.insert(*next).second &&
         !std::all_of(histories.begin(), histories.end(), is_complete)) {
    const auto ancestor = read_ancestor(connection, query, *next);
    if (!ancestor) break;
    const auto writes = read_writes(connection, query.thread_id, query.checkpoint_ns, *next);
    for (ChannelHistory& history : histories) {
      if (is_complete(history)) continue;
      add_writes(writes, history);
      find_seed(connection, query, *ancestor, history);
    }
    next = ancestor->parent_checkpoint_id;
  }
  return histories;
}

}  // namespace threadkeep::sqlite
