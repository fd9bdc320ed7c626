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
      [](const Prune& m) { return text(m.thread_id); }};
  return std::string(operation_name(mutation)) + " " + std::visit(words, mutation);
}

// ---- Answers in words ----

// Stores may spell JSON in their own way, so values are compared.
std::string canonical(const std::string& json) {
  return nlohmann::json::parse(json).dump();
}

std::string answer(const Outcome& outcome) {
  if (outcome.error) return std::string(to_string(outcome.error->code()));
  const auto& written = outcome.written;
  return "changed " + std::to_string(written.changed) + " kept " + std::to_string(written.kept) +
         " dropped " + std::to_string(written.dropped);
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
            return "threads " + text(q.thread_id) + " where" + text(q.filter) + " limit " +
                   std::to_string(q.limit);
          },
          [](const Tick& t) { return "tick " + std::to_string(t.seconds) + " s"; }},
      operation);
}

std::string carry_out(Store& store, const Operation& operation) {
  const Call call;
  const auto run = Overloaded{
      [&](const Mutation& m) {
        return answer(Outcome{store.write(m, call), {}});
      },
      [&](const Group& group) { return answer_group(store, group); },
      [&](const CheckpointQuery& q) {
        const auto found = store.get(q, call);
        return found ? answer(*found) : std::string("none");
      },
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
      [](const Tick&) { return std::string(); }};
  try {
    return std::visit(run, operation);
  } catch (const Error& error) {
    return std::string(to_string(error.code()));
  }
}

}  // namespace threadkeep::testing
