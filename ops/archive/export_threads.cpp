// SPDX-License-Identifier: Apache-2.0
#include "archive/export_threads.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace threadkeep::ops {

namespace {

constexpr std::size_t page_bytes = 16 * 1024 * 1024;
constexpr std::size_t threads_at_once = 1000;

/// One thread on its way out of a store.
class ThreadExport {
 public:
  ThreadExport(Store& store, PartSink& sink, const Call& call, const std::function<void()>& step)
      : store_(store), sink_(sink), call_(call), step_(step) {}

  /// False when there is nothing of it.
  bool run(const std::string& thread_id, const std::optional<ThreadInfo>& info) {
    LooseWritesQuery query{.thread_id = thread_id, .after = {}, .limit = 1};
    // Before the checkpoints: one that comes in between then brings its writes twice and not never.
    auto loose = store_.loose_writes(query, call_);
    if (!info && loose.empty()) return false;
    sink_.begin_thread({thread_id, info});
    while (!loose.empty()) {
      const PutWrites& put = loose.back();
      add_writes(put.checkpoint_ns, put.checkpoint_id, put.writes);
      query.after.emplace(put.checkpoint_ns, put.checkpoint_id);
      loose = store_.loose_writes(query, call_);
    }
    add_checkpoints(thread_id);
    if (store_.capabilities().sessions) {
      for (const auto& stream : store_.streams({thread_id}, call_)) add_messages(thread_id, stream);
      add_states(thread_id);
    }
    sink_.end_thread();
    step_();
    return true;
  }

 private:
  void add_checkpoints(const std::string& thread_id) {
    CheckpointList query;
    query.thread_id = thread_id;
    query.limit = 1000;
    query.max_bytes = page_bytes;
    do {
      const auto page = store_.list(query, call_);
      for (const CheckpointTuple& tuple : page.items) add(tuple);
      query.cursor = page.next;
      step_();
    } while (!query.cursor.empty());
  }

  void add_messages(const std::string& thread_id, const std::string& stream) {
    MessageList query;
    query.thread_id = thread_id;
    query.stream = stream;
    query.limit = 1000;
    query.max_bytes = page_bytes;
    do {
      const auto page = store_.messages(query, call_);
      for (const Message& message : page.items) sink_.add(MessageLine{message});
      query.cursor = page.next;
      step_();
    } while (!query.cursor.empty());
  }

  void add_states(const std::string& thread_id) {
    StateList query{StateScope::of_thread(thread_id), 1000, page_bytes, {}};
    do {
      const auto page = store_.states(query, call_);
      for (const StateDocument& document : page.items) sink_.add(StateLine{document});
      query.cursor = page.next;
    } while (!query.cursor.empty());
  }

  void add(const CheckpointTuple& tuple) {
    for (const Blob& blob : tuple.values) {
      if (!blobs_.insert({tuple.checkpoint_ns, blob.channel, blob.version}).second) continue;
      sink_.add(BlobLine{tuple.checkpoint_ns, blob});
    }
    sink_.add(CheckpointLine{.checkpoint_ns = tuple.checkpoint_ns,
                             .checkpoint_id = tuple.checkpoint_id,
                             .parent_checkpoint_id = tuple.parent_checkpoint_id,
                             .document = tuple.document,
                             .metadata = tuple.metadata});
    add_writes(tuple.checkpoint_ns, tuple.checkpoint_id, tuple.writes);
  }

  void add_writes(const std::string& ns, const std::string& id,
                  const std::vector<PendingWrite>& writes) {
    for (const PendingWrite& write : writes) {
      if (!writes_.insert({ns, id, write.task_id, write.idx}).second) continue;
      sink_.add(WriteLine{ns, id, write});
    }
  }

  Store& store_;
  PartSink& sink_;
  const Call& call_;
  const std::function<void()>& step_;
  std::set<std::tuple<std::string, std::string, std::string>> blobs_;
  std::set<std::tuple<std::string, std::string, std::string, std::int32_t>> writes_;
};

/// Calls back for each thread that fulfils a filter, in the order of their ids.
template <class Use>
void for_each_thread(Store& store, const std::vector<MetadataEquals>& filter, const Call& call,
                     Use use) {
  ThreadList query{.filter = filter, .limit = threads_at_once, .cursor = {}};
  do {
    const auto page = store.threads(query, call);
    for (const ThreadInfo& thread : page.items) use(thread);
    query.cursor = page.next;
  } while (!query.cursor.empty());
}

std::set<std::string> ids_of(const ExportSelection& selection) {
  return {selection.thread_ids.begin(), selection.thread_ids.end()};
}

}  // namespace

bool export_thread(Store& store, const std::string& thread_id,
                   const std::optional<ThreadInfo>& info, PartSink& sink, const Call& call,
                   const std::function<void()>& step) {
  return ThreadExport(store, sink, call, step).run(thread_id, info);
}

void export_threads(Store& store, const ExportSelection& selection, PartSink& sink,
                    const Call& call, const std::function<void()>& step) {
  const auto run = [&](const std::string& thread_id, const std::optional<ThreadInfo>& info) {
    return export_thread(store, thread_id, info, sink, call, step);
  };
  if (selection.thread_ids.empty()) {
    for_each_thread(store, selection.filter, call,
                    [&](const ThreadInfo& thread) { run(thread.thread_id, thread); });
    return;
  }
  for (const std::string& id : ids_of(selection)) {
    if (!run(id, store.thread({id}, call)) && !selection.skip_absent) throw NoThread{id};
  }
}

std::uint64_t count_threads(Store& store, const ExportSelection& selection, const Call& call) {
  std::uint64_t count = ids_of(selection).size();
  if (count > 0) return count;
  for_each_thread(store, selection.filter, call, [&](const ThreadInfo&) { ++count; });
  return count;
}

}  // namespace threadkeep::ops
