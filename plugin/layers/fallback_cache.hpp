// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "layers/fallback_overlay.hpp"

namespace threadkeep {

/// An entry of the journal.
struct JournalPlace {
  std::int64_t seq = 0;
  std::size_t bytes = 0;
};

/// A mutation in the journal.
struct Waiting {
  std::int64_t seq = 0;
  Mutation mutation;
  std::size_t bytes = 0;  ///< Of its entry.
};

/// A thread or named scope, as far as the fallback knows it. All but `key` is guarded by `mutex`,
/// which may be held over writes to the journal and never over calls of the primary.
struct FallbackLane {
  FallbackLane(std::string name, StateScope scope, const OpenMemory& open)
      : key(std::move(name)), overlay(std::move(scope), open) {}

  bool waits() const noexcept { return !waiting.empty(); }
  /// Nobody waits for the replay any more; with the lock held.
  void open_again() {
    closing = false;
    reopened.notify_all();
  }

  const std::string key;
  std::mutex mutex;
  FallbackOverlay overlay;
  std::deque<Waiting> waiting;
  /// The entry with what they build on.
  std::optional<JournalPlace> base_entry;
  /// Stored already, and still in the journal, so that a process that finds it has all that came
  /// after the base.
  std::vector<JournalPlace> sent;
  /// Of writes at the primary: a read that began before one knows an older state.
  std::uint64_t writes_ended = 0;
  /// A read was answered here, so that what builds on it has to be told from what others did.
  bool was_read_here = false;

  /// Checkpoints that were set aside: what goes on from them would not be whole.
  CheckpointKeys aside;
  bool sessions_aside = false;  ///< Likewise messages and state, until nothing waits.

  /// The last of what waits is being sent: who writes waits for that, so that it has an end.
  bool closing = false;
  std::condition_variable_any reopened;

  // Of the replay under way.
  std::size_t last_backlog = 0;
  std::map<std::string, std::string> last_sent;  ///< By namespace, as the primary must have it.
  bool forked = false;
};

/// "t" and a thread's id, or "s" and the name of a scope.
std::string key_of(const StateScope& scope);
/// What it stands for, for people.
const std::string& name_of(const StateScope& scope) noexcept;

/// The lanes that were used of late, and those of which something waits; of all others, which of
/// their checkpoints were set aside. Thread-safe; its lock may be taken with that of a lane held,
/// and not the other way round.
class FallbackCache {
 public:
  FallbackCache(std::size_t max_bytes, const OpenMemory& open)
      : max_bytes_(max_bytes), open_(open) {}

  /// While the caller has it, no other object stands for the same lane.
  std::shared_ptr<FallbackLane> find_or_make(const StateScope& scope);
  /// None where nothing is known of it.
  std::shared_ptr<FallbackLane> find(const StateScope& scope);
  /// To be called after changes, with the lane's lock held.
  void account(const FallbackLane& lane);
  std::vector<std::shared_ptr<FallbackLane>> all();
  /// Those of which something waits.
  std::vector<std::shared_ptr<FallbackLane>> waiting();

 private:
  struct Slot {
    std::shared_ptr<FallbackLane> lane;
    std::size_t bytes = 0;
    bool pinned = false;
  };
  using Slots = std::list<Slot>;  // the last used first

  std::shared_ptr<FallbackLane> touch(Slots::iterator slot);
  std::shared_ptr<FallbackLane> make(const std::string& key, const StateScope& scope);
  void collect_old(std::vector<std::shared_ptr<FallbackLane>>& gone);

  const std::size_t max_bytes_;
  const OpenMemory& open_;
  std::mutex mutex_;
  Slots slots_;
  std::unordered_map<std::string, Slots::iterator> places_;
  std::unordered_map<std::string, CheckpointKeys> aside_;  // of lanes that went
  std::size_t bytes_ = 0;
};

}  // namespace threadkeep
