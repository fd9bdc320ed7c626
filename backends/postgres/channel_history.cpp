// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "checkpoint_rows.hpp"
#include "reads.hpp"

namespace threadkeep::postgres {

namespace {

// The rows of history.sql.
enum Kind { start_kind = 0, ancestor_kind = 1, value_kind = 2, write_kind = 3 };

namespace column {
enum Column {
  kind,
  checkpoint_id,
  parent_checkpoint_id,
  channel,
  version_or_task,
  type,
  task_path,
  idx,
  payload,
  inline_value
};
}

// A checkpoint on the way, and the rows of what belongs to it.
struct Step {
  std::optional<std::string_view> parent;
  std::vector<std::size_t> values;
  std::vector<std::size_t> writes;
};

// Its texts belong to the result.
struct Way {
  std::string_view start;
  std::unordered_map<std::string_view, Step> steps;
};

Way read_way(const Result& rows) {
  Way way;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto kind = rows.integer(row, column::kind);
    const auto id = rows.view(row, column::checkpoint_id);
    Step& step = way.steps[id];
    if (kind == value_kind) {
      step.values.push_back(row);
    } else if (kind == write_kind) {
      step.writes.push_back(row);
    } else {
      if (kind == start_kind) way.start = id;
      if (!rows.is_null(row, column::parent_checkpoint_id)) {
        step.parent = rows.view(row, column::parent_checkpoint_id);
      }
    }
  }
  return way;
}

// Newest first. The start is none of them, also where parents go in a circle.
std::vector<const Step*> ancestors_of(const Way& way) {
  std::vector<const Step*> ancestors;
  std::unordered_set<std::string_view> seen;
  for (auto step = way.steps.find(way.start); step != way.steps.end();) {
    seen.insert(step->first);
    const auto& parent = step->second.parent;
    if (!parent || seen.contains(*parent)) break;
    step = way.steps.find(*parent);
    if (step != way.steps.end()) ancestors.push_back(&step->second);
  }
  return ancestors;
}

void find_seed(const Result& rows, const Step& step, ChannelHistory& history) {
  for (const std::size_t row : step.values) {
    if (rows.view(row, column::channel) != history.channel) continue;
    if (rows.is_null(row, column::payload)) {
      history.inline_seed = rows.json(row, column::inline_value);
    } else {
      history.seed = Blob{.channel = history.channel,
                          .version = rows.text(row, column::version_or_task),
                          .type = rows.text(row, column::type),
                          .data = rows.bytes(row, column::payload)};
    }
    return;
  }
}

PendingWrite read_write(const Result& rows, std::size_t row) {
  return {.task_id = rows.text(row, column::version_or_task),
          .idx = static_cast<std::int32_t>(rows.integer(row, column::idx)),
          .channel = rows.text(row, column::channel),
          .task_path = rows.text(row, column::task_path),
          .type = rows.text(row, column::type),
          .data = rows.bytes(row, column::payload)};
}

// In order, and each one once.
std::vector<PendingWrite> read_writes(const Result& rows, const Step& step) {
  std::vector<PendingWrite> writes;
  for (const std::size_t row : step.writes) writes.push_back(read_write(rows, row));
  sort_writes(writes);
  const auto same_key = [](const PendingWrite& a, const PendingWrite& b) {
    return a.task_id == b.task_id && a.idx == b.idx;
  };
  writes.erase(std::unique(writes.begin(), writes.end(), same_key), writes.end());
  return writes;
}

bool is_complete(const ChannelHistory& history) {
  return history.seed || history.inline_seed;
}

// For each channel the number of ancestors that count: up to the one with a value, that included.
std::vector<std::size_t> find_seeds(const Result& rows, const std::vector<const Step*>& ancestors,
                                    std::vector<ChannelHistory>& histories) {
  std::vector<std::size_t> reach;
  for (ChannelHistory& history : histories) {
    std::size_t count = 0;
    while (count < ancestors.size() && !is_complete(history)) {
      find_seed(rows, *ancestors[count++], history);
    }
    reach.push_back(count);
  }
  return reach;
}

void add_writes(const Result& rows, const std::vector<const Step*>& ancestors,
                const std::vector<std::size_t>& reach, std::vector<ChannelHistory>& histories) {
  for (std::size_t at = ancestors.size(); at-- > 0;) {
    for (const PendingWrite& write : read_writes(rows, *ancestors[at])) {
      for (std::size_t i = 0; i < histories.size(); ++i) {
        if (at >= reach[i] || histories[i].channel != write.channel) continue;
        histories[i].writes.push_back(write);
      }
    }
  }
}

Result fetch(Connection& connection, const ReadStatements& statements, const HistoryQuery& query,
             const Call& call) {
  Parameters parameters;
  parameters.text(query.thread_id).text(query.checkpoint_ns).text_array(query.channels);
  if (query.checkpoint_id) parameters.text(*query.checkpoint_id);
  return connection.run(statements.history(!query.checkpoint_id), std::move(parameters),
                        Effect::none, call);
}

}  // namespace

std::vector<ChannelHistory> history(Connection& connection, const ReadStatements& statements,
                                    const HistoryQuery& query, const Call& call) {
  std::vector<ChannelHistory> histories;
  for (const std::string& channel : query.channels) histories.push_back({channel, {}, {}, {}});
  if (histories.empty()) return histories;
  const Result rows = fetch(connection, statements, query, call);
  const Way way = read_way(rows);
  const auto ancestors = ancestors_of(way);
  const auto reach = find_seeds(rows, ancestors, histories);
  add_writes(rows, ancestors, reach, histories);
  return histories;
}

}  // namespace threadkeep::postgres
