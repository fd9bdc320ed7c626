// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/thread_difference.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

#include "threadkeep/backend_support.hpp"

namespace threadkeep::migration {

namespace {

using ops::ArchivedThread;
using Use = std::function<void(StoreProblemKind, const std::string&)>;

std::string checkpoint_name(const std::string& ns, const std::string& id) {
  return "checkpoint '" + id + "'" + (ns.empty() ? "" : " of namespace '" + ns + "'");
}

/// Tells what only one of two has, and asks for the rest.
class Differences {
 public:
  Differences(const ArchivedThread& source, const ArchivedThread& target, const Use& use)
      : source_(source), target_(target), use_(use) {}

  void run() {
    compare_infos();
    compare_checkpoints();
    compare_writes();
    for (const auto& stream : streams()) compare_stream(stream);
    compare_states();
    compare_times();
  }

 private:
  void tell(StoreProblemKind kind, const std::string& what) {
    has_more_ |= kind == StoreProblemKind::extra;
    use_(kind, what);
  }

  // Calls `same(key)` for keys of both; what only one has is told.
  template <class Keys, class Name, class Same>
  void both(const Keys& ours, const Keys& theirs, const Name& name, const Same& same) {
    auto a = ours.begin();
    auto b = theirs.begin();
    while (a != ours.end() || b != theirs.end()) {
      if (b == theirs.end() || (a != ours.end() && *a < *b)) {
        tell(StoreProblemKind::missing, name(*a++));
      } else if (a == ours.end() || *b < *a) {
        tell(StoreProblemKind::extra, name(*b++));
      } else {
        if (!same(*a)) tell(StoreProblemKind::different, name(*a));
        ++a;
        ++b;
      }
    }
  }

  template <class Map>
  static auto keys_of(const Map& map) {
    std::set<typename Map::key_type> keys;
    for (const auto& entry : map) keys.insert(keys.end(), entry.first);
    return keys;
  }

  static std::set<ArchivedThread::CheckpointKey> checkpoint_keys(const ArchivedThread& thread) {
    std::set<ArchivedThread::CheckpointKey> keys;
    for (const auto& entry : thread.checkpoints()) keys.insert(entry.key);
    return keys;
  }

  void compare_infos() {
    const auto& ours = source_.info();
    const auto& theirs = target_.info();
    if (ours && !theirs) return tell(StoreProblemKind::missing, "the thread itself");
    if (!ours && theirs) return tell(StoreProblemKind::extra, "the thread itself");
    if (!ours) return;
    if (!json_equal(ours->metadata, theirs->metadata)) {
      tell(StoreProblemKind::different, "the metadata of the thread");
    }
  }

  // A thread that went on in the target keeps the times that it has there. 0 is unknown, and then
  // the target has what it set.
  void compare_times() {
    const auto& ours = source_.info();
    const auto& theirs = target_.info();
    if (!ours || !theirs || has_more_) return;
    if (ours->created_at != 0 && ours->created_at != theirs->created_at) {
      tell(StoreProblemKind::different, "created_at of the thread");
    }
    if (ours->updated_at != 0 && ours->updated_at != theirs->updated_at) {
      tell(StoreProblemKind::different, "updated_at of the thread");
    }
  }

  void compare_checkpoints() {
    const auto name = [](const auto& key) { return checkpoint_name(key.first, key.second); };
    both(checkpoint_keys(source_), checkpoint_keys(target_), name,
         [&](const auto& key) { return same_checkpoint(key); });
  }

  bool same_checkpoint(const ArchivedThread::CheckpointKey& key) {
    const auto ours = source_.checkpoint(source_.find_checkpoint(key).value_or(0));
    const auto theirs = target_.checkpoint(target_.find_checkpoint(key).value_or(0));
    return ours.parent_checkpoint_id == theirs.parent_checkpoint_id &&
           json_equal(ours.document, theirs.document) &&
           json_equal(ours.metadata, theirs.metadata) && same_values(key.first, ours.document);
  }

  bool same_values(const std::string& ns, const std::string& document) {
    const auto versions = read_document(document).versions;
    return std::all_of(versions.begin(), versions.end(), [&](const auto& entry) {
      const ArchivedThread::BlobKey key{ns, entry.first, entry.second};
      if (!compared_.insert(key).second) return equal_.contains(key);
      const bool has = source_.has_blob(key);
      if (has != target_.has_blob(key)) return false;
      if (has && source_.blob(key) != target_.blob(key)) return false;
      equal_.insert(key);
      return true;
    });
  }

  void compare_writes() {
    const auto name = [](const auto& key) {
      const auto& [ns, id, task, idx] = key;
      return "write " + std::to_string(idx) + " of task '" + task + "' at " +
             checkpoint_name(ns, id);
    };
    both(keys_of(source_.writes()), keys_of(target_.writes()), name,
         [&](const auto& key) { return source_.write(key) == target_.write(key); });
  }

  std::set<std::string> streams() const {
    auto names = keys_of(source_.streams());
    for (const auto& entry : target_.streams()) names.insert(entry.first);
    return names;
  }

  static std::vector<std::string> ids_of(const ArchivedThread& thread, const std::string& stream) {
    const auto found = thread.streams().find(stream);
    return found == thread.streams().end() ? std::vector<std::string>{} : found->second;
  }

  void compare_stream(const std::string& stream) {
    const auto ours = ids_of(source_, stream);
    const auto theirs = ids_of(target_, stream);
    const std::set<std::string> our_ids(ours.begin(), ours.end());
    const std::set<std::string> their_ids(theirs.begin(), theirs.end());
    const auto name = [](const auto& id) { return "message '" + id + "'"; };
    both(our_ids, their_ids, name, [&](const auto& id) { return same_message(id); });
    if (our_ids == their_ids && ours != theirs) {
      tell(StoreProblemKind::different, "the order of messages in stream '" + stream + "'");
    }
  }

  bool same_message(const std::string& id) {
    const Message ours = source_.message(id);
    const Message theirs = target_.message(id);
    return ours.role == theirs.role && json_equal(ours.content, theirs.content) &&
           json_equal(ours.metadata, theirs.metadata);
  }

  void compare_states() {
    const auto name = [](const auto& key) { return "state '" + key + "'"; };
    both(keys_of(source_.states()), keys_of(target_.states()), name, [&](const auto& key) {
      return json_equal(source_.state(key).value, target_.state(key).value);
    });
  }

  const ArchivedThread& source_;
  const ArchivedThread& target_;
  const Use& use_;
  std::set<ArchivedThread::BlobKey> compared_;
  std::set<ArchivedThread::BlobKey> equal_;
  bool has_more_ = false;  // the target
};

}  // namespace

void each_difference(const ArchivedThread& source, const ArchivedThread& target, const Use& use) {
  Differences(source, target, use).run();
}

}  // namespace threadkeep::migration
