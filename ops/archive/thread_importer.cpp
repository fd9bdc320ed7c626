// SPDX-License-Identifier: Apache-2.0
#include "archive/thread_importer.hpp"

#include <utility>

#include "threadkeep/backend_support.hpp"

namespace threadkeep::ops {

namespace {

constexpr std::size_t batch_bytes = 8 * 1024 * 1024;
constexpr std::size_t batch_mutations = 1000;

// Errors of one thread; with all others the store cannot go on.
bool concerns_thread(Code code) {
  return code == Code::conflict || code == Code::invalid_argument || code == Code::unsupported;
}

}  // namespace

void ThreadImporter::add(const ArchivedThread& thread, const Comparison& found, const Call& call) {
  if (found.conflict) {
    fail({thread.thread_id(), found.code, *found.conflict});
  } else if (found.complete(thread)) {
    ++report_.unchanged;
  } else {
    ++report_.restored;
    restore(thread, found, call);
  }
}

void ThreadImporter::restore(const ArchivedThread& thread, const Comparison& found,
                             const Call& call) {
  // First, so that a thread that an import left half done has its own metadata.
  if (thread.info() && !found.has_info) {
    add(PutThread{thread.thread_id(), thread.info()->metadata}, {}, call);
  }
  sent_.clear();
  for (const std::size_t index : thread.parents_first()) {
    if (!found.has_checkpoint[index]) put(thread, index, call);
  }
  put_writes(thread, found, call);
  for (const auto& [stream, ids] : thread.streams()) append(thread, stream, ids, found, call);
  put_states(thread, found, call);
}

void ThreadImporter::put(const ArchivedThread& thread, std::size_t index, const Call& call) {
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
  if (parent && !thread.find_checkpoint({put.checkpoint_ns, *parent})) add(put, {}, call);
  put.parent_checkpoint_id = parent;
  add(std::move(put), counts, call);
}

// One mutation for each checkpoint, whose writes stand together.
void ThreadImporter::put_writes(const ArchivedThread& thread, const Comparison& found,
                                const Call& call) {
  std::size_t bytes = 0;
  PutWrites put{
      .thread_id = thread.thread_id(), .checkpoint_ns = {}, .checkpoint_id = {}, .writes = {}};
  const auto send = [&] {
    if (put.writes.empty()) return;
    const Counts counts{.writes = put.writes.size()};
    add(std::exchange(put, {put.thread_id, {}, {}, {}}), counts, call);
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

void ThreadImporter::append(const ArchivedThread& thread, const std::string& stream,
                            const std::vector<std::string>& ids, const Comparison& found,
                            const Call& call) {
  AppendMessages append;
  std::size_t bytes = 0;
  const auto send = [&] {
    if (append.messages.empty()) return;
    append.thread_id = thread.thread_id();
    append.stream = stream;
    const Counts counts{.messages = append.messages.size()};
    add(std::exchange(append, {}), counts, call);
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
void ThreadImporter::put_states(const ArchivedThread& thread, const Comparison& found,
                                const Call& call) {
  for (const auto& [key, place] : thread.states()) {
    if (found.has_state.contains(key)) continue;
    ChangeState change{StateScope::of_thread(thread.thread_id()), {}};
    change.changes.push_back({key, StateChange::Kind::put, thread.state(key).value, 0});
    add(std::move(change), {.states = 1}, call);
  }
}

void ThreadImporter::add(Mutation mutation, const Counts& counts, const Call& call) {
  report_.stored += counts;
  if (options_.dry_run) return;
  bytes_ += weight(mutation);
  batch_.push_back(std::move(mutation));
  if (bytes_ >= batch_bytes || batch_.size() >= batch_mutations) flush(call);
}

void ThreadImporter::flush(const Call& call) {
  if (batch_.empty()) return;
  std::vector<std::string> threads;
  for (const Mutation& mutation : batch_) threads.emplace_back(lane(mutation));
  bytes_ = 0;
  const auto outcomes = store_.write_all(std::exchange(batch_, {}), call);
  const Error* general = nullptr;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& error = outcomes[i].error;
    if (error && !concerns_thread(error->code())) {
      if (general == nullptr) general = &*error;
    } else {
      check(threads[i], outcomes[i]);
    }
  }
  if (general != nullptr) throw Error(*general);
}

void ThreadImporter::check(const std::string& thread_id, const Outcome& outcome) {
  bool failed = false;
  if (outcome.error) {
    failed = fail({thread_id, outcome.error->code(), outcome.error->message()});
  } else if (outcome.written.dropped > 0) {
    failed = fail({thread_id, Code::conflict,
                   "writes of a checkpoint that was deleted are not stored again, because the "
                   "store remembers the deletion"});
  }
  if (failed) --report_.restored;
}

// False when it is known.
bool ThreadImporter::fail(const ImportProblem& problem) {
  if (!failed_.insert(problem.thread_id).second) return false;
  ++report_.failed;
  options_.problem(problem);
  return true;
}

}  // namespace threadkeep::ops
