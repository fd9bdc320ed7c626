// SPDX-License-Identifier: Apache-2.0
#include "archive/comparison.hpp"

#include <algorithm>
#include <map>

#include "threadkeep/backend_support.hpp"

namespace threadkeep::ops {

namespace {

constexpr std::size_t page_bytes = 16 * 1024 * 1024;

/// Looks at everything of a thread and stops at the first conflict.
class Comparer {
 public:
  Comparer(Store& store, const ArchivedThread& thread, const Call& call)
      : store_(store), thread_(thread), call_(call) {
    result_.has_checkpoint.resize(thread.checkpoints().size(), false);
  }

  Comparison run() {
    compare_info();
    compare_loose_writes();
    if (result_.has_info) compare_checkpoints();
    compare_session();
    if (!result_.conflict) compare_histories();
    return std::move(result_);
  }

 private:
  void conflict(const std::string& why) { result_.conflict = why; }

  // What only the store has is no second history where the archive has nothing else, and where it
  // goes on from an end of the archive's: then something was deleted after the archive was made.
  void compare_histories() {
    std::set<std::string> lacking;                      // namespaces
    std::set<ArchivedThread::CheckpointKey> has_child;  // of the archive
    for (std::size_t i = 0; i < thread_.checkpoints().size(); ++i) {
      const auto& [key, parent, place] = thread_.checkpoints()[i];
      if (!result_.has_checkpoint[i]) lacking.insert(key.first);
      if (parent) has_child.emplace(key.first, *parent);
    }
    for (const auto& [key, parent] : only_in_store_) {
      if (!lacking.contains(key.first)) continue;
      const ArchivedThread::CheckpointKey before(key.first, parent.value_or(""));
      const bool goes_on =
          parent && (only_in_store_.contains(before) ||
                     (thread_.find_checkpoint(before) && !has_child.contains(before)));
      if (goes_on) continue;
      return conflict("the store has checkpoint '" + key.second +
                      "', which the archive lacks, and lacks others of the archive: these are two "
                      "histories");
    }
  }

  void compare_info() {
    const auto stored = store_.thread({thread_.thread_id()}, call_);
    result_.has_info = stored.has_value();
    result_.info = stored;
    if (!stored || !thread_.info()) return;
    if (!json_equal(stored->metadata, thread_.info()->metadata)) {
      conflict("the metadata of the thread differs");
    }
  }

  void compare_loose_writes() {
    LooseWritesQuery query{.thread_id = thread_.thread_id(), .after = {}, .limit = 1};
    while (!result_.conflict) {
      const auto loose = store_.loose_writes(query, call_);
      if (loose.empty()) return;
      const PutWrites& put = loose.back();
      compare_writes({put.checkpoint_ns, put.checkpoint_id}, put.writes);
      query.after.emplace(put.checkpoint_ns, put.checkpoint_id);
    }
  }

  void compare_session() {
    if (!store_.capabilities().sessions) {
      if (!thread_.has_session()) return;
      conflict("it has messages or state, which " + store_.capabilities().name +
               " stores do not keep; import it into one that does, such as sqlite:PATH");
      result_.code = Code::unsupported;
      return;
    }
    if (!result_.has_info || result_.conflict) return;
    for (const std::string& stream : store_.streams({thread_.thread_id()}, call_)) {
      compare_stream(stream);
    }
    compare_states();
  }

  void compare_stream(const std::string& stream) {
    MessageList query;
    query.thread_id = thread_.thread_id();
    query.stream = stream;
    query.max_bytes = page_bytes;
    std::size_t stored = 0;
    do {
      const auto page = store_.messages(query, call_);
      for (const Message& message : page.items) compare(message);
      stored += page.items.size();
      query.cursor = page.next;
    } while (!query.cursor.empty() && !result_.conflict);
    if (!result_.conflict) compare_order(stream, stored);
  }

  void compare(const Message& message) {
    if (!thread_.has_message(message.id)) result_.has_more = true;
    if (result_.conflict || !thread_.has_message(message.id)) return;
    const Message archived = thread_.message(message.id);
    const bool same = archived.stream == message.stream && archived.role == message.role &&
                      json_equal(archived.content, message.content) &&
                      json_equal(archived.metadata, message.metadata);
    if (!same) return conflict("message '" + message.id + "' differs");
    result_.has_message.insert(message.id);
  }

  // What is appended comes after everything that is there.
  void compare_order(const std::string& stream, std::size_t stored) {
    const auto archived = thread_.streams().find(stream);
    if (archived == thread_.streams().end()) return;
    const auto& ids = archived->second;
    const auto is_there = [&](const auto& id) { return result_.has_message.contains(id); };
    const auto first = std::find_if_not(ids.begin(), ids.end(), is_there);
    if (first == ids.end() || first - ids.begin() == static_cast<std::ptrdiff_t>(stored)) return;
    conflict("the store lacks message '" + *first + "' of stream '" + stream +
             "' and has others that would stand before it: these are two histories");
  }

  void compare_states() {
    StateList query{StateScope::of_thread(thread_.thread_id()), 1000, page_bytes, {}};
    do {
      const auto page = store_.states(query, call_);
      for (const StateDocument& document : page.items) {
        if (!thread_.states().contains(document.key)) {
          result_.has_more = true;
          continue;
        }
        if (!json_equal(thread_.state(document.key).value, document.value)) {
          conflict("state '" + document.key + "' differs");
        }
        result_.has_state.insert(document.key);
      }
      query.cursor = page.next;
    } while (!query.cursor.empty());
  }

  void compare_checkpoints() {
    CheckpointList query;
    query.thread_id = thread_.thread_id();
    query.limit = 1000;
    query.max_bytes = page_bytes;
    do {
      const auto page = store_.list(query, call_);
      for (const CheckpointTuple& tuple : page.items) {
        if (!result_.conflict) compare(tuple);
      }
      query.cursor = page.next;
    } while (!query.cursor.empty() && !result_.conflict);
  }

  void compare(const CheckpointTuple& tuple) {
    const ArchivedThread::CheckpointKey key{tuple.checkpoint_ns, tuple.checkpoint_id};
    compare_writes(key, tuple.writes);
    const auto index = thread_.find_checkpoint(key);
    if (!index) {
      result_.has_more = true;
      only_in_store_.emplace(key, tuple.parent_checkpoint_id);
      return;
    }
    const CheckpointLine line = thread_.checkpoint(*index);
    if (!json_equal(tuple.document, line.document) || !json_equal(tuple.metadata, line.metadata)) {
      return conflict("checkpoint '" + line.checkpoint_id + "' differs");
    }
    const bool begun = is_begun(tuple, line);
    if (!begun && tuple.parent_checkpoint_id != line.parent_checkpoint_id) {
      return conflict("checkpoint '" + line.checkpoint_id + "' has another parent");
    }
    const bool has_values = compare_values(tuple);
    result_.has_checkpoint[*index] = has_values && !begun;
  }

  // An import that ended between the two puts of a checkpoint whose parent is gone.
  bool is_begun(const CheckpointTuple& tuple, const CheckpointLine& line) const {
    const auto& parent = line.parent_checkpoint_id;
    return parent && !tuple.parent_checkpoint_id &&
           !thread_.find_checkpoint({line.checkpoint_ns, *parent});
  }

  // True when the store has all that the archive has.
  bool compare_values(const CheckpointTuple& tuple) {
    std::set<ArchivedThread::BlobKey> stored;
    for (const Blob& blob : tuple.values) {
      const ArchivedThread::BlobKey key{tuple.checkpoint_ns, blob.channel, blob.version};
      if (thread_.has_blob(key) && compared_.insert(key).second && thread_.blob(key) != blob) {
        conflict("the value of channel '" + blob.channel + "' at version '" + blob.version +
                 "' differs");
      }
      stored.insert(key);
    }
    const auto versions = read_document(tuple.document).versions;
    return std::all_of(versions.begin(), versions.end(), [&](const auto& entry) {
      const ArchivedThread::BlobKey key{tuple.checkpoint_ns, entry.first, entry.second};
      return !thread_.has_blob(key) || stored.contains(key);
    });
  }

  void compare_writes(const ArchivedThread::CheckpointKey& checkpoint,
                      const std::vector<PendingWrite>& writes) {
    for (const PendingWrite& write : writes) {
      const ArchivedThread::WriteKey key{checkpoint.first, checkpoint.second, write.task_id,
                                         write.idx};
      if (!thread_.writes().contains(key)) {
        result_.has_more = true;
        continue;
      }
      if (thread_.write(key) != write) {
        conflict("write " + std::to_string(write.idx) + " of task '" + write.task_id +
                 "' at checkpoint '" + checkpoint.second + "' differs");
      }
      result_.has_write.insert(key);
    }
  }

  Store& store_;
  const ArchivedThread& thread_;
  const Call& call_;
  Comparison result_;
  std::set<ArchivedThread::BlobKey> compared_;
  std::map<ArchivedThread::CheckpointKey, std::optional<std::string>> only_in_store_;  // parents
};

}  // namespace

bool Comparison::complete(const ArchivedThread& thread) const {
  const Counts counts = thread.counts();
  return (has_info || !thread.info()) && has_write.size() == counts.writes &&
         has_message.size() == counts.messages && has_state.size() == counts.states &&
         std::find(has_checkpoint.begin(), has_checkpoint.end(), false) == has_checkpoint.end();
}

Comparison compare(Store& store, const ArchivedThread& thread, const Call& call) {
  return Comparer(store, thread, call).run();
}

}  // namespace threadkeep::ops
