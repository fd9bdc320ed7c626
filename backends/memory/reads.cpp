// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>

#include "memory/tables.hpp"

namespace threadkeep::memory {

namespace {

// The order of listings, and with it the position of a cursor.
using ListKey = std::tuple<std::string, std::string, std::string>;  // id, thread, namespace

bool listed_before(const ListKey& a, const ListKey& b) {
  if (std::get<0>(a) != std::get<0>(b)) return std::get<0>(a) > std::get<0>(b);
  return std::tie(std::get<1>(a), std::get<2>(a)) < std::tie(std::get<1>(b), std::get<2>(b));
}

}  // namespace

const Tables::Namespace* Tables::find(const std::string& thread_id,
                                      const std::string& checkpoint_ns) const {
  const Thread* thread = find_thread(thread_id);
  if (!thread) return nullptr;
  const auto ns = thread->namespaces.find(checkpoint_ns);
  return ns == thread->namespaces.end() ? nullptr : &ns->second;
}

const Tables::Thread* Tables::find_thread(const std::string& thread_id) const {
  const auto thread = threads_.find(thread_id);
  return thread == threads_.end() ? nullptr : &thread->second;
}

const Blob* Tables::find_value(const Namespace& ns, const std::string& channel,
                               const std::string& version) {
  const auto blob = ns.blobs.find({channel, version});
  return blob == ns.blobs.end() || blob->second.type == empty_type ? nullptr : &blob->second;
}

std::vector<PendingWrite> Tables::writes_of(const Namespace& ns, const std::string& id) {
  std::vector<PendingWrite> writes;
  if (const auto found = ns.writes.find(id); found != ns.writes.end()) {
    for (const auto& [key, write] : found->second) writes.push_back(write);
  }
  // Already ordered by (task_id, idx).
  std::stable_sort(writes.begin(), writes.end(),
                   [](const auto& a, const auto& b) { return a.task_path < b.task_path; });
  return writes;
}

CheckpointTuple Tables::tuple(const std::string& thread_id, const std::string& checkpoint_ns,
                              const Namespace& ns, const std::string& id, Include include) const {
  const Checkpoint& checkpoint = ns.checkpoints.at(id);
  CheckpointTuple out{.thread_id = thread_id,
                      .checkpoint_ns = checkpoint_ns,
                      .checkpoint_id = id,
                      .parent_checkpoint_id = checkpoint.parent_checkpoint_id,
                      .document = checkpoint.document,
                      .metadata = checkpoint.metadata,
                      .values = {},
                      .writes = {}};
  if (include.values) {
    for (const auto& [channel, version] : read_document(checkpoint.document).versions) {
      if (const Blob* blob = find_value(ns, channel, version)) out.values.push_back(*blob);
    }
    std::sort(out.values.begin(), out.values.end(),
              [](const Blob& a, const Blob& b) { return a.channel < b.channel; });
  }
  if (include.writes) out.writes = writes_of(ns, id);
  return out;
}

std::optional<CheckpointTuple> Tables::get(const CheckpointQuery& query) const {
  const Namespace* ns = find(query.thread_id, query.checkpoint_ns);
  if (!ns || ns->checkpoints.empty()) return {};
  const std::string id = query.checkpoint_id.value_or(ns->checkpoints.rbegin()->first);
  if (!ns->checkpoints.contains(id)) return {};
  return tuple(query.thread_id, query.checkpoint_ns, *ns, id, query.include);
}

Page<CheckpointTuple> Tables::list(const CheckpointList& query) const {
  const MetadataFilter filter(query.filter);
  const CursorCodec codec(query);
  std::optional<ListKey> after;
  if (!query.cursor.empty()) {
    const auto position = codec.decode(query.cursor, 3);
    after = ListKey{position[0], position[1], position[2]};
  }
  std::vector<ListKey> keys;
  const auto wanted = [](const auto& only, const std::string& value) {
    return !only || *only == value;
  };
  for (const auto& [thread_id, thread] : threads_) {
    if (!wanted(query.thread_id, thread_id)) continue;
    for (const auto& [name, ns] : thread.namespaces) {
      if (!wanted(query.checkpoint_ns, name)) continue;
      for (const auto& [id, checkpoint] : ns.checkpoints) {
        if (!wanted(query.checkpoint_id, id) || (query.before && id >= *query.before)) continue;
        ListKey key{id, thread_id, name};
        if (after && !listed_before(*after, key)) continue;
        if (filter.matches(checkpoint.metadata)) keys.push_back(std::move(key));
      }
    }
  }
  std::sort(keys.begin(), keys.end(), listed_before);

  Page<CheckpointTuple> page;
  std::size_t bytes = 0;
  for (const auto& [id, thread_id, name] : keys) {
    if (page.items.size() >= query.limit || (!page.items.empty() && bytes >= query.max_bytes))
      break;
    page.items.push_back(tuple(thread_id, name, *find(thread_id, name), id, query.include));
    bytes += weight(page.items.back());
  }
  if (!page.items.empty() && page.items.size() < keys.size()) {
    const CheckpointTuple& last = page.items.back();
    page.next = codec.encode({last.checkpoint_id, last.thread_id, last.checkpoint_ns});
  }
  return page;
}

std::vector<ChannelHistory> Tables::history(const HistoryQuery& query) const {
  std::vector<ChannelHistory> histories;
  for (const std::string& channel : query.channels) histories.push_back({channel, {}, {}, {}});
  const Namespace* ns = find(query.thread_id, query.checkpoint_ns);
  if (!ns || ns->checkpoints.empty()) return histories;
  auto at = query.checkpoint_id ? ns->checkpoints.find(*query.checkpoint_id)
                                : std::prev(ns->checkpoints.end());
  std::set<std::string> seen;
  if (at != ns->checkpoints.end()) seen.insert(at->first);
  while (at != ns->checkpoints.end() && at->second.parent_checkpoint_id) {
    at = ns->checkpoints.find(*at->second.parent_checkpoint_id);
    if (at == ns->checkpoints.end() || !seen.insert(at->first).second) break;
    const auto writes = writes_of(*ns, at->first);
    const DocumentChannels document = read_document(at->second.document);
    for (ChannelHistory& history : histories) {
      if (history.seed || history.inline_seed) continue;
      std::vector<PendingWrite> older;
      std::copy_if(writes.begin(), writes.end(), std::back_inserter(older),
                   [&](const PendingWrite& write) { return write.channel == history.channel; });
      history.writes.insert(history.writes.begin(), older.begin(), older.end());
      for (const auto& [channel, version] : document.versions) {
        if (channel != history.channel) continue;
        if (const Blob* blob = find_value(*ns, channel, version)) history.seed = *blob;
      }
      for (const auto& [channel, value] : document.inline_values) {
        if (channel == history.channel && !history.seed) history.inline_seed = value;
      }
    }
  }
  return histories;
}

Page<ThreadInfo> Tables::threads(const ThreadList& query) const {
  const MetadataFilter filter(query.filter);
  const CursorCodec codec(query);
  auto at = query.cursor.empty() ? threads_.begin()
                                 : threads_.upper_bound(codec.decode(query.cursor, 1).front());
  Page<ThreadInfo> page;
  for (; at != threads_.end(); ++at) {
    const auto& info = at->second.info;
    if (!info || !filter.matches(info->metadata)) continue;
    if (page.items.size() >= query.limit) {
      if (!page.items.empty()) page.next = codec.encode({page.items.back().thread_id});
      break;
    }
    page.items.push_back(*info);
  }
  return page;
}

std::vector<PutWrites> Tables::loose_writes(const LooseWritesQuery& query) const {
  std::vector<PutWrites> found;
  const auto thread = threads_.find(query.thread_id);
  if (thread == threads_.end()) return found;
  for (const auto& [name, ns] : thread->second.namespaces) {
    for (const auto& [id, writes] : ns.writes) {
      if (ns.checkpoints.contains(id)) continue;
      if (query.after && std::pair(name, id) <= *query.after) continue;
      if (found.size() == query.limit) return found;
      found.push_back({query.thread_id, name, id, writes_of(ns, id)});
    }
  }
  return found;
}

std::optional<ThreadInfo> Tables::thread(const ThreadQuery& query) const {
  const Thread* thread = find_thread(query.thread_id);
  return thread ? thread->info : std::nullopt;
}

}  // namespace threadkeep::memory
