// SPDX-License-Identifier: Apache-2.0
#include "lockstep/operation.hpp"

#include <nlohmann/json.hpp>

#include "threadkeep/testing/draft.hpp"

namespace threadkeep::testing {

namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

// ---- Operations in words ----

std::string text(const std::string& value) {
  return json_string(value);
}

std::string text(const std::optional<std::string>& value) {
  return value ? json_string(*value) : "none";
}

std::string text(const Include& include) {
  return std::string(include.values ? " values" : "") + (include.writes ? " writes" : "");
}

std::string text(const Blob& blob) {
  return blob.channel + "@" + blob.version + "=" + blob.type + ":" + std::string(blob.data.view());
}

std::string text(const PendingWrite& write) {
  return write.task_path + "/" + write.task_id + "/" + std::to_string(write.idx) + " " +
         write.channel + "=" + write.type + ":" + std::string(write.data.view());
}

std::string text(const std::vector<MetadataEquals>& filter) {
  std::string words;
  for (const auto& [key, value] : filter) words += " " + key + "==" + value;
  return words;
}

std::string text(const std::optional<std::int64_t>& number) {
  return number ? std::to_string(*number) : "any";
}

std::string text(const StateScope& scope) {
  return scope.thread_id.empty() ? "scope " + text(scope.name) : "thread " + text(scope.thread_id);
}

std::string text(const NewMessage& message) {
  return text(message.id) + " " + text(message.role) + " " + message.content + " " +
         message.metadata;
}

std::string text(const StateChange& change) {
  constexpr const char* kinds[] = {"put", "merge", "erase"};
  return std::string(kinds[static_cast<std::size_t>(change.kind)]) + " " + text(change.key) + " " +
         change.value + " at version " + text(change.expected_version);
}

template <class Item>
std::string text(const std::vector<Item>& items);

std::string text(const Filter& filter) {
  constexpr const char* kinds[] = {"all_of", "any_of", "negation", "eq", "ne",     "lt",
                                   "le",     "gt",     "ge",       "in", "exists", "contains"};
  return std::string(kinds[static_cast<std::size_t>(filter.kind)]) + "(" + text(filter.parts) +
         " " + text(filter.path) + " " + text(filter.values) + ")";
}

std::string text(const MessageList& list) {
  return text(list.thread_id) + " " + text(list.stream) +
         (list.direction == Direction::forward ? " forward" : " backward") + " after " +
         std::to_string(list.after) + " where " + text(list.filter) + " limit " +
         std::to_string(list.limit) + " bytes " + std::to_string(list.max_bytes) + " cursor " +
         list.cursor;
}

template <class Item>
std::string text(const std::vector<Item>& items) {
  std::string words = "[";
  for (const auto& item : items) words += (words.size() > 1 ? ", " : "") + text(item);
  return words + "]";
}

std::string place(const auto& at) {
  return text(at.thread_id) + " " + text(at.checkpoint_ns) + " " + text(at.checkpoint_id);
}

std::string describe_mutation(const Mutation& mutation) {
  const auto words = Overloaded{
      [](const PutCheckpoint& m) {
        return place(m) + " parent " + text(m.parent_checkpoint_id) +
               (m.require_latest_parent ? " (must be latest)" : "") + "\n      document " +
               m.document + "\n      metadata " + m.metadata + "\n      blobs " + text(m.blobs);
      },
      [](const PutWrites& m) { return place(m) + " " + text(m.writes); },
      [](const PutThread& m) { return text(m.thread_id) + " " + m.metadata; },
      [](const DeleteThread& m) { return text(m.thread_id); },
      [](const DeleteRuns& m) { return text(m.run_ids); },
      [](const CopyThread& m) {
        return text(m.source_thread_id) + " to " + text(m.target_thread_id);
      },
      [](const Prune& m) { return text(m.thread_id); },
      [](const AppendMessages& m) {
        return text(m.thread_id) + " " + text(m.stream) + " operation " + text(m.operation_id) +
               " at revision " + text(m.expected_revision) + "\n      " + text(m.messages) +
               "\n      " + text(m.state);
      },
      [](const UpdateMessage& m) {
        return text(m.thread_id) + " " + text(m.id) + " content " + m.content.value_or("none") +
               " metadata " + m.metadata.value_or("none") + " at version " +
               text(m.expected_version);
      },
      [](const RemoveMessages& m) { return text(m.thread_id) + " " + text(m.ids); },
      [](const PopMessages& m) {
        return text(m.thread_id) + " " + text(m.stream) + " " + std::to_string(m.count) +
               " operation " + text(m.operation_id);
      },
      [](const ClearMessages& m) { return text(m.thread_id) + " " + text(m.stream); },
      [](const ChangeState& m) { return text(m.scope) + " " + text(m.changes); }};
  return std::string(operation_name(mutation)) + " " + std::visit(words, mutation);
}

// ---- Answers in words ----

// Stores may spell JSON in their own way, so values are compared.
std::string canonical(const std::string& json) {
  return nlohmann::json::parse(json).dump();
}

// Empty where an append returns a message without its text.
std::string canonical_or_empty(const std::string& json) {
  return json.empty() ? json : canonical(json);
}

std::string answer(const Message& message) {
  return text(message.stream) + "@" + std::to_string(message.seq) + " " + text(message.id) + " " +
         text(message.role) + " " + canonical_or_empty(message.content) + " " +
         canonical_or_empty(message.metadata) + " created " + std::to_string(message.created_at) +
         " version " + std::to_string(message.version);
}

std::string answer(const StateDocument& document) {
  return text(document.key) + " " + canonical(document.value) + " version " +
         std::to_string(document.version);
}

std::string answer(const Outcome& outcome) {
  if (outcome.error) return std::string(to_string(outcome.error->code()));
  const auto& written = outcome.written;
  std::string words = "changed " + std::to_string(written.changed) + " kept " +
                      std::to_string(written.kept) + " dropped " + std::to_string(written.dropped) +
                      " revision " + std::to_string(written.revision) + " versions";
  for (const auto version : written.versions) words += " " + std::to_string(version);
  for (const auto& message : written.messages) words += "\n    " + answer(message);
  return words;
}

std::string answer(const CheckpointTuple& tuple) {
  return place(tuple) + " parent " + text(tuple.parent_checkpoint_id) + "\n      document " +
         canonical(tuple.document) + "\n      metadata " + canonical(tuple.metadata) +
         "\n      values " + text(tuple.values) + "\n      writes " + text(tuple.writes);
}

std::string answer(const ThreadInfo& info) {
  return text(info.thread_id) + " created " + std::to_string(info.created_at) + " updated " +
         std::to_string(info.updated_at) + " revision " + std::to_string(info.revision) +
         " metadata " + canonical(info.metadata);
}

std::string answer(const ChannelHistory& history) {
  return history.channel + " seed " + (history.seed ? text(*history.seed) : "none") + " inline " +
         (history.inline_seed ? canonical(*history.inline_seed) : "none") + " writes " +
         text(history.writes);
}

// Walks all pages. Where pages end is part of the answer, except when they end by bytes: what a
// row weighs is a backend's own affair.
template <class Query, class Read>
std::string walk(Query query, bool ends_count, Read read) {
  constexpr int endless = 2000;
  std::string words;
  for (int pages = 0; pages < endless; ++pages) {
    const auto page = read(query);
    for (const auto& item : page.items) words += "\n    " + answer(item);
    if (page.next.empty()) return words;
    if (ends_count) words += "\n    --";
    query.cursor = page.next;
  }
  return words + "\n    and pages without end";
}

std::string answer_loose(Store& store, LooseWritesQuery query, const Call& call) {
  std::string words;
  for (;;) {
    const auto found = store.loose_writes(query, call);
    if (found.empty()) return words;
    for (const auto& put : found) words += "\n    " + describe_mutation(put);
    query.after.emplace(found.back().checkpoint_ns, found.back().checkpoint_id);
  }
}

template <class Item>
std::string answer(const std::optional<Item>& item) {
  return item ? answer(*item) : std::string("none");
}

std::string answer_group(Store& store, const Group& group) {
  std::string words;
  for (const auto& outcome : store.write_all(group, Call{})) words += answer(outcome) + "; ";
  return words;
}

}  // namespace

std::string describe(const Operation& operation) {
  return std::visit(
      Overloaded{
          [](const Mutation& m) { return describe_mutation(m); },
          [](const Group& group) {
            std::string words = "group of " + std::to_string(group.size());
            for (const auto& m : group) words += "\n    " + describe_mutation(m);
            return words;
          },
          [](const CheckpointQuery& q) { return "get " + place(q) + text(q.include); },
          [](const CheckpointList& q) {
            return "list " + place(q) + " before " + text(q.before) + " where" + text(q.filter) +
                   text(q.include) + " limit " + std::to_string(q.limit) + " bytes " +
                   std::to_string(q.max_bytes) + " cursor " + q.cursor;
          },
          [](const HistoryQuery& q) { return "history " + place(q) + " of " + text(q.channels); },
          [](const ThreadList& q) {
            return "threads where" + text(q.filter) + " limit " + std::to_string(q.limit);
          },
          [](const LooseWritesQuery& q) { return "loose_writes of " + text(q.thread_id); },
          [](const Tick& t) { return "tick " + std::to_string(t.seconds) + " s"; },
          [](const MessageList& q) { return "messages " + text(q); },
          [](const Count& q) { return "count of " + text(q.list); },
          [](const TailQuery& q) {
            return "tail " + text(q.thread_id) + " " + text(q.stream) + " " +
                   std::to_string(q.count) + " where " + text(q.filter);
          },
          [](const MessageQuery& q) { return "message " + text(q.thread_id) + " " + text(q.id); },
          [](const StateQuery& q) { return "state " + text(q.scope) + " " + text(q.key); },
          [](const StateList& q) {
            return "states " + text(q.scope) + " limit " + std::to_string(q.limit);
          },
          [](const ThreadQuery& q) { return "thread " + text(q.thread_id); }},
      operation);
}

std::string carry_out(Store& store, const Operation& operation) {
  const Call call;
  const auto run = Overloaded{
      [&](const Mutation& m) {
        return answer(Outcome{store.write(m, call), {}});
      },
      [&](const Group& group) { return answer_group(store, group); },
      [&](const CheckpointQuery& q) { return answer(store.get(q, call)); },
      [&](const CheckpointList& q) {
        const bool by_bytes = q.max_bytes < CheckpointList{}.max_bytes;
        return walk(q, !by_bytes, [&](const auto& page) { return store.list(page, call); });
      },
      [&](const HistoryQuery& q) {
        std::string words;
        for (const auto& channel : store.history(q, call)) words += "\n    " + answer(channel);
        return words;
      },
      [&](const ThreadList& q) {
        return walk(q, true, [&](const auto& page) { return store.threads(page, call); });
      },
      [&](const LooseWritesQuery& q) { return answer_loose(store, q, call); },
      [](const Tick&) { return std::string(); },
      [&](const MessageList& q) {
        const bool by_bytes = q.max_bytes < MessageList{}.max_bytes;
        return walk(q, !by_bytes, [&](const auto& page) { return store.messages(page, call); });
      },
      [&](const Count& q) { return std::to_string(store.count_messages(q.list, call)); },
      [&](const TailQuery& q) {
        std::string words;
        for (const auto& message : read_tail(store, q, call)) words += "\n    " + answer(message);
        return words;
      },
      [&](const MessageQuery& q) { return answer(store.message(q, call)); },
      [&](const StateQuery& q) { return answer(store.state(q, call)); },
      [&](const StateList& q) {
        return walk(q, true, [&](const auto& page) { return store.states(page, call); });
      },
      [&](const ThreadQuery& q) { return answer(store.thread(q, call)); }};
  try {
    return std::visit(run, operation);
  } catch (const Error& error) {
    return std::string(to_string(error.code()));
  }
}

}  // namespace threadkeep::testing
