// SPDX-License-Identifier: Apache-2.0
#include "archive/import_threads.hpp"

#include <set>
#include <utility>
#include <vector>

#include "archive/comparison.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::ops {

namespace {

constexpr std::size_t batch_bytes = 8 * 1024 * 1024;
constexpr std::size_t batch_mutations = 1000;

// Errors of one thread; with all others the store cannot go on.
bool concerns_thread(Code code) {
  return code == Code::conflict || code == Code::invalid_argument || code == Code::unsupported;
}

class Import {
 public:
  Import(Store& store, const Call& call, const ImportOptions& options)
      : store_(store), call_(call), options_(options) {}

  ImportReport run(ArchiveReader& reader) {
    try {
      while (const auto thread = reader.next()) {
        add(*thread);
        options_.step(report_);
      }
    } catch (const Error& error) {
      if (error.code() != Code::corrupt && error.code() != Code::unsupported) throw;
      flush();
      options_.step(report_);
      throw;
    }
    flush();
    return report_;
  }

 private:
  void add(const ArchivedThread& thread) {
    const Comparison found = compare(store_, thread, call_);
    if (found.conflict) {
      ++report_.failed;
      options_.problem({thread.thread_id(), found.code, *found.conflict});
    } else if (found.complete(thread)) {
      ++report_.unchanged;
    } else {
      ++report_.restored;
      restore(thread, found);
    }
  }

  void restore(const ArchivedThread& thread, const Comparison& found) {
    // First, so that a thread that an import left half done has its own metadata.
    if (thread.info() && !found.has_info) {
      add(PutThread{thread.thread_id(), thread.info()->metadata}, {});
    }
    sent_.clear();
    for (const std::size_t index : thread.parents_first()) {
      if (!found.has_checkpoint[index]) put(thread, index);
    }
    put_writes(thread, found);
    for (const auto& [stream, ids] : thread.streams()) append(thread, stream, ids, found);
    put_states(thread, found);
  }

  void put(const ArchivedThread& thread, std::size_t index) {
    CheckpointLine line = thread.checkpoint(index);
    PutCheckpoint put{.thread_id = thread.thread_id(),
                      .checkpoint_ns = line.checkpoint_ns,
                      .checkpoint_id = line.checkpoint_id,
                      .parent_checkpoint_id = {},
                      .document = std::move(line.document),
                      .metadata = std::move(line.metadata),
                      .blobs = {}};
    for (const auto& [channel, version] : read_document(put.document).versions) {
      const ArchivedThread::BlobKey key{put.checkpoint_ns, channel, version};
      if (thread.has_blob(key) && sent_.insert(key).second) put.blobs.push_back(thread.blob(key));
    }
    const Counts counts{.checkpoints = 1, .blobs = put.blobs.size()};
    const auto& parent = line.parent_checkpoint_id;
    // A store that remembers a deletion takes no new child of what is gone. It takes a root, and
    // then the same checkpoint with its parent.
    if (parent && !thread.find_checkpoint({put.checkpoint_ns, *parent})) add(put, {});
    put.parent_checkpoint_id = parent;
    add(std::move(put), counts);
  }

  // One mutation for each checkpoint, whose writes stand together.
  void put_writes(const ArchivedThread& thread, const Comparison& found) {
    std::size_t bytes = 0;
    PutWrites put{
        .thread_id = thread.thread_id(), .checkpoint_ns = {}, .checkpoint_id = {}, .writes = {}};
    const auto send = [&] {
      if (put.writes.empty()) return;
      const Counts counts{.writes = put.writes.size()};
      add(std::exchange(put, {put.thread_id, {}, {}, {}}), counts);
      bytes = 0;
    };
    for (const auto& [key, place] : thread.writes()) {
      if (found.has_write.contains(key)) continue;
      const auto& [ns, id, task, idx] = key;
      if (ns != put.checkpoint_ns || id != put.checkpoint_id || bytes >= batch_bytes) send();
      put.checkpoint_ns = ns;
      put.checkpoint_id = id;
      put.writes.push_back(thread.write(key));
      bytes += put.writes.back().data.size();
    }
    send();
  }

  void append(const ArchivedThread& thread, const std::string& stream,
              const std::vector<std::string>& ids, const Comparison& found) {
    AppendMessages append;
    std::size_t bytes = 0;
    const auto send = [&] {
      if (append.messages.empty()) return;
      append.thread_id = thread.thread_id();
      append.stream = stream;
      const Counts counts{.messages = append.messages.size()};
      add(std::exchange(append, {}), counts);
      bytes = 0;
    };
    for (const std::string& id : ids) {
      if (found.has_message.contains(id)) continue;
      Message message = thread.message(id);
      bytes += message.content.size() + message.metadata.size();
      append.messages.push_back(
          {id, std::move(message.role), std::move(message.content), std::move(message.metadata)});
      if (append.messages.size() == max_messages || bytes >= batch_bytes) send();
    }
    send();
  }

  // Each by itself: one that was changed in between does not hold up the others.
  void put_states(const ArchivedThread& thread, const Comparison& found) {
    for (const auto& [key, place] : thread.states()) {
      if (found.has_state.contains(key)) continue;
      ChangeState change{StateScope::of_thread(thread.thread_id()), {}};
      change.changes.push_back({key, StateChange::Kind::put, thread.state(key).value, 0});
      add(std::move(change), {.states = 1});
    }
  }

  void add(Mutation mutation, const Counts& counts) {
    report_.stored += counts;
    if (options_.dry_run) return;
    bytes_ += weight(mutation);
    batch_.push_back(std::move(mutation));
    if (bytes_ >= batch_bytes || batch_.size() >= batch_mutations) flush();
  }

  void flush() {
    if (batch_.empty()) return;
    std::vector<std::string> threads;
    for (const Mutation& mutation : batch_) threads.emplace_back(lane(mutation));
    bytes_ = 0;
    const auto outcomes = store_.write_all(std::exchange(batch_, {}), call_);
    for (std::size_t i = 0; i < outcomes.size(); ++i) check(threads[i], outcomes[i]);
  }

  void check(const std::string& thread_id, const Outcome& outcome) {
    if (outcome.error && !concerns_thread(outcome.error->code())) throw Error(*outcome.error);
    if (outcome.error) {
      fail({thread_id, outcome.error->code(), outcome.error->message()});
    } else if (outcome.written.dropped > 0) {
      fail({thread_id, Code::conflict,
            "writes of a checkpoint that was deleted are not stored again, because the store "
            "remembers the deletion"});
    }
  }

  void fail(const ImportProblem& problem) {
    if (!failed_.insert(problem.thread_id).second) return;
    --report_.restored;
    ++report_.failed;
    options_.problem(problem);
  }

  Store& store_;
  const Call& call_;
  const ImportOptions& options_;
  ImportReport report_;
  std::set<ArchivedThread::BlobKey> sent_;  // of the thread under way
  std::vector<Mutation> batch_;
  std::size_t bytes_ = 0;
  std::set<std::string> failed_;
};

}  // namespace

ImportReport import_threads(Store& store, ArchiveReader& reader, const Call& call,
                            const ImportOptions& options) {
  return Import(store, call, options).run(reader);
}

}  // namespace threadkeep::ops
