// SPDX-License-Identifier: Apache-2.0
#include "archive/archived_thread.hpp"

#include <algorithm>

#include "threadkeep/backend_support.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::ops {

namespace {

Error twice(const char* kind) {
  return {Code::corrupt, std::string("the thread has this ") + kind + " already"};
}

}  // namespace

void ArchivedThread::add(const CheckpointLine& line, std::string_view text) {
  CheckpointKey key{line.checkpoint_ns, line.checkpoint_id};
  if (!index_.try_emplace(key, checkpoints_.size()).second) throw twice("checkpoint");
  for (auto& [channel, version] : read_document(line.document).versions) {
    if (unnamed_.empty()) break;
    unnamed_.erase({line.checkpoint_ns, channel, version});
  }
  checkpoints_.push_back({std::move(key), line.parent_checkpoint_id, spool_.add(text)});
}

void ArchivedThread::add(const BlobLine& line, std::string_view text) {
  const BlobKey key{line.checkpoint_ns, line.blob.channel, line.blob.version};
  if (!blobs_.try_emplace(key, spool_.add(text)).second) throw twice("blob");
  unnamed_.insert(key);
}

void ArchivedThread::add(const WriteLine& line, std::string_view text) {
  const WriteKey key{line.checkpoint_ns, line.checkpoint_id, line.write.task_id, line.write.idx};
  if (!writes_.try_emplace(key, spool_.add(text)).second) throw twice("write");
}

void ArchivedThread::add(const MessageLine& line, std::string_view text) {
  const Message& message = line.message;
  std::int64_t& last = last_seqs_[message.stream];
  if (message.seq <= last) throw Error(Code::corrupt, "the seqs of the stream are not in order");
  last = message.seq;
  if (!messages_.try_emplace(message.id, spool_.add(text)).second) throw twice("message");
  streams_[message.stream].push_back(message.id);
}

void ArchivedThread::add(const StateLine& line, std::string_view text) {
  if (!states_.try_emplace(line.document.key, spool_.add(text)).second) throw twice("state");
}

void ArchivedThread::check_whole() const {
  if (unnamed_.empty()) return;
  throw Error(Code::corrupt, "no checkpoint after the blob names channel '" +
                                 std::get<1>(*unnamed_.begin()) + "' at version '" +
                                 std::get<2>(*unnamed_.begin()) + "'");
}

Counts ArchivedThread::counts() const noexcept {
  return {checkpoints_.size(), blobs_.size(), writes_.size(), messages_.size(), states_.size()};
}

// From each checkpoint up to what is placed already, and down again.
std::vector<std::size_t> ArchivedThread::parents_first() const {
  std::vector<std::size_t> order;
  std::vector<bool> seen(checkpoints_.size(), false);
  std::vector<std::size_t> way;
  for (const auto& [key, start] : index_) {
    for (std::optional at = start; at && !seen[*at];) {
      seen[*at] = true;  // at once, because parents may go in a circle
      way.push_back(*at);
      const auto& parent = checkpoints_[*at].parent_checkpoint_id;
      at = parent ? find_checkpoint({key.first, *parent}) : std::nullopt;
    }
    order.insert(order.end(), way.rbegin(), way.rend());
    way.clear();
  }
  return order;
}

std::optional<std::size_t> ArchivedThread::find_checkpoint(const CheckpointKey& key) const {
  const auto found = index_.find(key);
  if (found == index_.end()) return {};
  return found->second;
}

template <class Wanted>
Wanted ArchivedThread::read(const Spool::Place& place) const {
  return std::get<Wanted>(decode(spool_.read(place)));
}

CheckpointLine ArchivedThread::checkpoint(std::size_t index) const {
  return read<CheckpointLine>(checkpoints_[index].place);
}

Blob ArchivedThread::blob(const BlobKey& key) const {
  return read<BlobLine>(blobs_.at(key)).blob;
}

PendingWrite ArchivedThread::write(const WriteKey& key) const {
  return read<WriteLine>(writes_.at(key)).write;
}

Message ArchivedThread::message(const std::string& id) const {
  return read<MessageLine>(messages_.at(id)).message;
}

StateDocument ArchivedThread::state(const std::string& key) const {
  return read<StateLine>(states_.at(key)).document;
}

}  // namespace threadkeep::ops
