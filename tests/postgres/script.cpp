// SPDX-License-Identifier: Apache-2.0
#include "script.hpp"

#include <iterator>
#include <utility>

namespace threadkeep::postgres_test {

namespace {

// Larger than a page and than a packet, so that there is a middle to be killed in.
std::string value_of(int number) {
  return std::string(20'000, static_cast<char>('a' + number % 26));
}

std::string described(const std::string& bytes) {
  return std::to_string(bytes.size()) + " " + bytes.substr(0, 1) + " true";
}

std::string described(const Bytes& bytes) {
  return described(std::string(bytes.view()));
}

}  // namespace

Mutation Script::next() {
  ++number_;
  if (latest_.empty()) return put();
  const auto choice = random_() % 20;
  if (choice < 9) return put();
  if (choice < 15) return put_writes();
  if (choice == 15) return PutThread{name_, "{\"n\": " + std::to_string(number_) + "}"};
  if (choice == 16) return CopyThread{name_, name_ + " copy " + padded(number_)};
  if (choice < 19) return Prune{name_};
  latest_.clear();
  return DeleteThread{name_};
}

// The channel "first" is sent once and carried by all that follow.
Mutation Script::put() {
  const auto id = padded(number_);
  Draft draft(name_, id);
  draft.value("own", id, value_of(number_));
  if (latest_.empty()) {
    draft.value("first", first_ = id, value_of(number_ + 1));
  } else {
    draft.parent(latest_).carries("first", first_);
  }
  latest_ = id;
  return PutCheckpoint(draft);
}

Mutation Script::put_writes() {
  const auto task = padded(number_);
  return PutWrites{name_,
                   "",
                   latest_,
                   {pending(task, 0, "a", value_of(number_)), pending(task, 1, "a", "x"),
                    pending("same", -1, "b", value_of(number_))}};
}

void Model::apply(const Mutation& mutation) {
  if (const auto* checkpoint = std::get_if<PutCheckpoint>(&mutation)) return put(*checkpoint);
  if (const auto* writes = std::get_if<PutWrites>(&mutation)) return put(*writes);
  if (const auto* thread = std::get_if<PutThread>(&mutation)) return put(*thread);
  if (const auto* gone = std::get_if<DeleteThread>(&mutation)) {
    threads_.erase(gone->thread_id);
  } else if (const auto* copy = std::get_if<CopyThread>(&mutation)) {
    Thread target = threads_.at(copy->source_thread_id);
    target.revision = 0;
    threads_.emplace(copy->target_thread_id, std::move(target));
  } else {
    prune(threads_.at(std::get<Prune>(mutation).thread_id));
  }
}

void Model::put(const PutCheckpoint& put) {
  Thread& thread = threads_[put.thread_id];
  Checkpoint checkpoint;
  if (put.parent_checkpoint_id) {
    checkpoint.parent = *put.parent_checkpoint_id;
    checkpoint.versions = thread.checkpoints.at(checkpoint.parent).versions;
  }
  for (const auto& blob : put.blobs) {
    checkpoint.versions[blob.channel] = blob.version;
    thread.blobs[blob.channel + "|" + blob.version] = described(blob.data);
  }
  thread.checkpoints.emplace(put.checkpoint_id, std::move(checkpoint));
}

void Model::put(const PutWrites& put) {
  auto& writes = threads_.at(put.thread_id).writes[put.checkpoint_id];
  for (const auto& write : put.writes) {
    writes[write.task_id + "|" + std::to_string(write.idx)] = described(write.data);
  }
}

void Model::put(const PutThread& put) {
  Thread& thread = threads_.at(put.thread_id);
  thread.metadata = put.metadata;
  ++thread.revision;
}

void Model::prune(Thread& thread) {
  const auto latest = std::prev(thread.checkpoints.end());
  const auto kept = *latest;
  thread.checkpoints = {kept};
  std::map<std::string, std::string> blobs;
  for (const auto& [channel, version] : kept.second.versions) {
    const auto key = channel + "|" + version;
    blobs[key] = thread.blobs.at(key);
  }
  thread.blobs = std::move(blobs);
  std::erase_if(thread.writes, [&](const auto& writes) { return writes.first != kept.first; });
}

std::set<std::string> Model::rows() const {
  std::set<std::string> rows;
  for (const auto& [name, thread] : threads_) {
    rows.insert("thread|" + name + "|" + thread.metadata + "|" + std::to_string(thread.revision));
    for (const auto& [id, checkpoint] : thread.checkpoints) {
      rows.insert("checkpoint|" + name + "|" + id + "|" + checkpoint.parent + "|" +
                  checkpoint.versions.at("own") + "|" + checkpoint.versions.at("first"));
    }
    for (const auto& [key, bytes] : thread.blobs) {
      rows.insert("blob|" + name + "|" + key + "|" + bytes);
    }
    for (const auto& [id, writes] : thread.writes) {
      for (const auto& [key, bytes] : writes) {
        rows.insert("write|" + name + "|" + id + "|" + key + "|" + bytes);
      }
    }
  }
  return rows;
}

std::set<std::string> rows_in(RawDatabase& raw, const std::string& prefix) {
  const std::string bytes =
      "length(blob) || ' ' || chr(get_byte(blob, 0)) || ' ' || "
      "(blob = convert_to(repeat(chr(get_byte(blob, 0)), length(blob)), 'UTF8'))";
  const auto rows = raw.run(
      "SELECT concat_ws('|', 'thread', thread_id, metadata, revision) FROM threadkeep_threads "
      "WHERE starts_with(thread_id, $1) UNION ALL "
      "SELECT concat_ws('|', 'checkpoint', thread_id, checkpoint_id, "
      "coalesce(parent_checkpoint_id, 'none'), checkpoint -> 'channel_versions' ->> 'own', "
      "checkpoint -> 'channel_versions' ->> 'first') FROM checkpoints "
      "WHERE starts_with(thread_id, $1) UNION ALL "
      "SELECT concat_ws('|', 'blob', thread_id, channel, version, " +
          bytes +
          ") FROM checkpoint_blobs "
          "WHERE starts_with(thread_id, $1) UNION ALL "
          "SELECT concat_ws('|', 'write', thread_id, checkpoint_id, task_id, idx, " +
          bytes + ") FROM checkpoint_writes WHERE starts_with(thread_id, $1)",
      {prefix});
  return {rows.begin(), rows.end()};
}

}  // namespace threadkeep::postgres_test
