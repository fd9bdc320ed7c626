// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "memory/tables.hpp"

namespace threadkeep::memory {

namespace {

void add(EntityStats& entity, ThreadSize& thread, std::size_t bytes) {
  ++entity.rows;
  *entity.bytes += bytes;
  thread.bytes += bytes;
}

}  // namespace

StoreStats Tables::stats(const StatsQuery& query) const {
  EntityStats threads{"threads", 0, 0};
  EntityStats checkpoints{"checkpoints", 0, 0};
  EntityStats blobs{"blobs", 0, 0};
  EntityStats writes{"writes", 0, 0};
  EntityStats messages{"messages", 0, 0};
  EntityStats streams{"streams", 0, 0};
  EntityStats states{"states", 0, 0};
  StatsCollector collector(query.largest);
  for (const auto& [thread_id, thread] : threads_) {
    ThreadSize size{.thread_id = thread_id};
    if (thread.info) add(threads, size, thread.info->metadata.size());
    for (const auto& [name, ns] : thread.namespaces) {
      for (const auto& [id, checkpoint] : ns.checkpoints) {
        add(checkpoints, size, checkpoint.document.size() + checkpoint.metadata.size());
        ++size.checkpoints;
        collector.add_checkpoint(id);
      }
      for (const auto& [key, blob] : ns.blobs) add(blobs, size, blob.data.size());
      for (const auto& [id, of_checkpoint] : ns.writes) {
        for (const auto& [key, write] : of_checkpoint) add(writes, size, write.data.size());
      }
    }
    for (const auto& [name, stream] : thread.streams) {
      add(streams, size, 0);
      for (const auto& [seq, message] : stream.messages) {
        add(messages, size, message.content.size() + message.metadata.size());
      }
    }
    for (const auto& [key, document] : thread.state) add(states, size, document.value.size());
    if (!is_absent(thread)) collector.add_thread(std::move(size));
  }
  EntityStats named_states{"named_states", 0, 0};
  ThreadSize of_none;
  for (const auto& [name, documents] : scopes_) {
    for (const auto& [key, document] : documents) add(named_states, of_none, document.value.size());
  }
  StoreStats stats;
  stats.method = "everything";
  stats.entities = {threads, checkpoints, blobs, writes, messages, streams, states, named_states};
  collector.finish(stats);
  return stats;
}

}  // namespace threadkeep::memory
