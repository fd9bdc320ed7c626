// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "archive/line.hpp"
#include "archive/spool.hpp"

namespace threadkeep::ops {

/// A thread out of an archive, whole and checked: an index of its parts, in memory, and the parts
/// themselves, each read when it is asked for. Not thread-safe.
class ArchivedThread {
 public:
  using CheckpointKey = std::pair<std::string, std::string>;          // namespace, id
  using BlobKey = std::tuple<std::string, std::string, std::string>;  // namespace, channel, version
  using WriteKey = std::tuple<std::string, std::string, std::string, std::int32_t>;

  struct CheckpointEntry {
    CheckpointKey key;
    std::optional<std::string> parent_checkpoint_id;
    Spool::Place place;
  };

  explicit ArchivedThread(ThreadLine head) : head_(std::move(head)) {}

  // How a reader makes it. Each takes the line as it was read and as it stood in the archive, and
  // throws Error(corrupt) when the thread cannot have it.
  void add(const CheckpointLine& line, std::string_view text);
  void add(const BlobLine& line, std::string_view text);
  void add(const WriteLine& line, std::string_view text);
  void add(const MessageLine& line, std::string_view text);
  void add(const StateLine& line, std::string_view text);
  /// Every blob belongs to a checkpoint.
  void check_whole() const;

  const std::string& thread_id() const noexcept { return head_.thread_id; }
  const std::optional<ThreadInfo>& info() const noexcept { return head_.info; }
  Counts counts() const noexcept;

  /// Parents stand before their children, where both are in the archive.
  std::vector<std::size_t> parents_first() const;
  const std::vector<CheckpointEntry>& checkpoints() const noexcept { return checkpoints_; }
  std::optional<std::size_t> find_checkpoint(const CheckpointKey& key) const;
  bool has_blob(const BlobKey& key) const { return blobs_.contains(key); }
  const std::map<WriteKey, Spool::Place>& writes() const noexcept { return writes_; }

  /// The ids of the messages of each stream, in the order of their seqs.
  const std::map<std::string, std::vector<std::string>>& streams() const noexcept {
    return streams_;
  }
  bool has_message(const std::string& id) const { return messages_.contains(id); }
  const std::map<std::string, Spool::Place>& states() const noexcept { return states_; }
  bool has_session() const noexcept { return !messages_.empty() || !states_.empty(); }

  CheckpointLine checkpoint(std::size_t index) const;
  Blob blob(const BlobKey& key) const;
  PendingWrite write(const WriteKey& key) const;
  Message message(const std::string& id) const;
  StateDocument state(const std::string& key) const;

 private:
  template <class Wanted>
  Wanted read(const Spool::Place& place) const;

  ThreadLine head_;
  Spool spool_;
  std::vector<CheckpointEntry> checkpoints_;
  std::map<CheckpointKey, std::size_t> index_;
  std::map<BlobKey, Spool::Place> blobs_;
  std::set<BlobKey> unnamed_;  // blobs whose checkpoint has not come
  std::map<WriteKey, Spool::Place> writes_;
  std::map<std::string, std::vector<std::string>> streams_;
  std::map<std::string, std::int64_t> last_seqs_;  // by stream
  std::map<std::string, Spool::Place> messages_;   // by id
  std::map<std::string, Spool::Place> states_;     // by key
};

}  // namespace threadkeep::ops
