// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "memory/tables.hpp"

namespace threadkeep::memory {

namespace {

bool same(const PutCheckpoint& put, const std::optional<std::string>& parent,
          const std::string& document, const std::string& metadata) {
  return put.parent_checkpoint_id == parent && json_equal(put.document, document) &&
         json_equal(put.metadata, metadata);
}

}  // namespace

// A tombstone, or the place that a refused put left, is not a thread.
bool Tables::is_absent(const Thread& thread) {
  return !thread.info && std::all_of(thread.namespaces.begin(), thread.namespaces.end(),
                                     [](const auto& entry) { return entry.second.writes.empty(); });
}

void Tables::check_parent(const Thread& thread, const Namespace& ns,
                          const PutCheckpoint& put) const {
  const auto& parent = put.parent_checkpoint_id;
  const bool stored = ns.checkpoints.contains(put.checkpoint_id);
  if (!stored && parent && thread.tombstone && !ns.checkpoints.contains(*parent)) {
    throw Error(Code::conflict, "parent_checkpoint_id '" + *parent +
                                    "' was deleted; load the thread again and go on from there");
  }
  if (!put.require_latest_parent) return;
  const auto latest = ns.checkpoints.rbegin();
  const bool none = latest == ns.checkpoints.rend();
  if (parent ? none || latest->first != *parent : !none) {
    throw Error(Code::conflict,
                "parent_checkpoint_id is not the latest checkpoint any more; load "
                "the thread again and go on from there");
  }
}

// Times have a granularity, so that a busy thread's row is not written with every step.
void Tables::touch(const std::string& thread_id, Thread& thread) {
  const std::int64_t now = environment_.now();
  if (!thread.info) {
    thread.info = ThreadInfo{.thread_id = thread_id, .created_at = now, .updated_at = now};
  } else if (now - thread.info->updated_at >= touch_granularity) {
    thread.info->updated_at = now;
  }
}

Written Tables::apply(const PutCheckpoint& put) {
  Thread& thread = threads_[put.thread_id];
  Namespace& ns = thread.namespaces[put.checkpoint_ns];
  const auto stored = ns.checkpoints.find(put.checkpoint_id);
  Written written;
  const bool equal = put.require_latest_parent && stored != ns.checkpoints.end() &&
                     same(put, stored->second.parent_checkpoint_id, stored->second.document,
                          stored->second.metadata);
  if (equal) {
    ++written.kept;
  } else {
    check_parent(thread, ns, put);
    ns.checkpoints[put.checkpoint_id] = {put.parent_checkpoint_id, put.document, put.metadata};
    ++written.changed;
  }
  for (const Blob& blob : put.blobs) {
    const bool fresh = ns.blobs.try_emplace({blob.channel, blob.version}, blob).second;
    ++(fresh ? written.changed : written.kept);
  }
  touch(put.thread_id, thread);
  return written;
}

Written Tables::apply(const PutWrites& put) {
  Thread& thread = threads_[put.thread_id];
  Namespace& ns = thread.namespaces[put.checkpoint_ns];
  if (thread.tombstone && put.checkpoint_id <= *thread.tombstone &&
      !ns.checkpoints.contains(put.checkpoint_id)) {
    return {.dropped = put.writes.size()};
  }
  Written written;
  for (const PendingWrite& write : put.writes) {
    auto& row = ns.writes[put.checkpoint_id];
    const auto [place, fresh] = row.try_emplace({write.task_id, write.idx}, write);
    if (!fresh && write.idx < 0) place->second = write;
    ++(fresh || write.idx < 0 ? written.changed : written.kept);
  }
  if (thread.info) touch(put.thread_id, thread);
  return written;
}

Written Tables::apply(const PutThread& put) {
  Thread& thread = threads_[put.thread_id];
  const bool fresh = !thread.info;
  if (!fresh && json_equal(thread.info->metadata, put.metadata)) return {.kept = 1};
  touch(put.thread_id, thread);
  if (!json_equal(thread.info->metadata, put.metadata)) {
    thread.info->metadata = put.metadata;
    ++thread.info->revision;
  }
  return {.changed = 1};
}

Written Tables::apply(const DeleteThread& deletion) {
  const auto found = threads_.find(deletion.thread_id);
  if (found == threads_.end()) return {};
  Thread& thread = found->second;
  Written written;
  for (const auto& [name, ns] : thread.namespaces) {
    written.changed += ns.checkpoints.size();
    if (ns.checkpoints.empty()) continue;
    raise_tombstone(thread, ns.checkpoints.rbegin()->first);
  }
  written.changed += thread.places.size() + thread.state.size();
  const auto tombstone = thread.tombstone;
  const auto deleted_at = thread.deleted_at;
  thread = Thread();
  thread.tombstone = tombstone;
  thread.deleted_at = deleted_at;
  if (!thread.tombstone) threads_.erase(found);
  return written;
}

DeltaDependencies Tables::dependencies(const Namespace& ns) {
  std::set<std::string> channels;
  for (const auto& [id, checkpoint] : ns.checkpoints) {
    for (std::string& channel : delta_channels(checkpoint.metadata)) channels.insert(channel);
  }
  std::vector<CheckpointNode> nodes;
  for (const auto& [id, checkpoint] : ns.checkpoints) {
    CheckpointNode node{
        id, checkpoint.parent_checkpoint_id, delta_channels(checkpoint.metadata), {}};
    const DocumentChannels document =
        channels.empty() ? DocumentChannels() : read_document(checkpoint.document);
    for (const auto& [channel, value] : document.inline_values) {
      if (channels.contains(channel)) node.valued_channels.insert(channel);
    }
    for (const auto& [channel, version] : document.versions) {
      const bool valued = channels.contains(channel) && find_value(ns, channel, version);
      if (valued) node.valued_channels.insert(channel);
    }
    nodes.push_back(std::move(node));
  }
  return DeltaDependencies(std::move(nodes));
}

// Takes checkpoints and their writes out of a namespace; the caller collects the blobs.
std::uint64_t Tables::erase(Thread& thread, Namespace& ns, const std::set<std::string>& ids) const {
  if (ids.empty()) return 0;
  for (const std::string& id : ids) {
    ns.checkpoints.erase(id);
    ns.writes.erase(id);
  }
  raise_tombstone(thread, *ids.rbegin());
  return ids.size();
}

void Tables::raise_tombstone(Thread& thread, const std::string& checkpoint_id) const {
  thread.tombstone = std::max(thread.tombstone, std::optional(checkpoint_id));
  thread.deleted_at = environment_.now();
}

void Tables::collect_blobs(Namespace& ns) {
  std::set<BlobKey> referenced;
  for (const auto& [id, checkpoint] : ns.checkpoints) {
    for (auto& entry : read_document(checkpoint.document).versions) referenced.insert(entry);
  }
  std::erase_if(ns.blobs, [&](const auto& entry) { return !referenced.contains(entry.first); });
}

Written Tables::apply(const DeleteRuns& deletion) {
  const std::set<std::string> runs(deletion.run_ids.begin(), deletion.run_ids.end());
  struct Victim {
    Thread* thread;
    Namespace* ns;
    std::set<std::string> ids;
  };
  std::vector<Victim> victims;
  for (auto& [thread_id, thread] : threads_) {
    for (auto& [name, ns] : thread.namespaces) {
      std::set<std::string> ids;
      for (const auto& [id, checkpoint] : ns.checkpoints) {
        const auto run = run_id(checkpoint.metadata);
        if (run && runs.contains(*run)) ids.insert(id);
      }
      if (ids.empty()) continue;
      const DeltaDependencies graph = dependencies(ns);
      for (const auto& [id, checkpoint] : ns.checkpoints) {
        if (ids.contains(id)) continue;
        for (const std::string& needed : graph.needed_by(id)) {
          if (!ids.contains(needed)) continue;
          throw Error(Code::conflict, "thread '" + thread_id + "': checkpoint '" + id +
                                          "' needs a checkpoint of these runs to rebuild its "
                                          "delta channels; delete its run too, or the thread");
        }
      }
      victims.push_back({&thread, &ns, std::move(ids)});
    }
  }
  Written written;
  for (const Victim& victim : victims) {
    written.changed += erase(*victim.thread, *victim.ns, victim.ids);
    collect_blobs(*victim.ns);
  }
  return written;
}

Written Tables::apply(const CopyThread& copy) {
  const auto found = threads_.find(copy.source_thread_id);
  if (found == threads_.end() || is_absent(found->second)) return {};
  const Thread source = found->second;
  Thread& target = threads_[copy.target_thread_id];
  for (const auto& [name, ns] : target.namespaces) {
    const auto other = source.namespaces.find(name);
    for (const auto& [id, checkpoint] : ns.checkpoints) {
      if (other != source.namespaces.end() && other->second.checkpoints.contains(id)) continue;
      throw Error(Code::conflict, "target_thread_id '" + copy.target_thread_id +
                                      "' holds checkpoints that the source does not have; choose "
                                      "another target or delete it first");
    }
  }
  check_copy(source, target, copy.target_thread_id);
  Written written;
  for (const auto& [name, ns] : source.namespaces) {
    Namespace& to = target.namespaces[name];
    for (const auto& [id, checkpoint] : ns.checkpoints) {
      ++(to.checkpoints.try_emplace(id, checkpoint).second ? written.changed : written.kept);
    }
    for (const auto& [key, blob] : ns.blobs) to.blobs.try_emplace(key, blob);
    for (const auto& [id, writes] : ns.writes) {
      for (const auto& [key, write] : writes) to.writes[id].try_emplace(key, write);
    }
  }
  Written counted;
  copy_messages(source, target, counted);
  copy_state(source, target, counted);
  const bool is_new = source.info && !target.info;
  if (is_new || written.changed + counted.changed > 0) touch(copy.target_thread_id, target);
  if (is_new) target.info->metadata = source.info->metadata;
  if (counted.changed > 0) ++target.info->revision;
  written.changed += counted.changed;
  written.kept += counted.kept;
  return written;
}

Written Tables::apply(const Prune& prune) {
  Written written;
  const auto found = threads_.find(prune.thread_id);
  if (found == threads_.end()) return written;
  for (auto& [name, ns] : found->second.namespaces) {
    if (ns.checkpoints.empty()) continue;
    const std::string latest = ns.checkpoints.rbegin()->first;
    std::set<std::string> keep = dependencies(ns).needed_by(latest);
    keep.insert(latest);
    std::set<std::string> drop;
    for (const auto& [id, checkpoint] : ns.checkpoints) {
      if (!keep.contains(id)) drop.insert(id);
    }
    written.changed += erase(found->second, ns, drop);
    std::erase_if(ns.writes, [&](const auto& entry) {
      return entry.first < latest && !keep.contains(entry.first);
    });
    // Also when no checkpoint goes: one that was put again may have left a blob behind.
    collect_blobs(ns);
  }
  return written;
}

}  // namespace threadkeep::memory
