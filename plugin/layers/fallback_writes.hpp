// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "layers/fallback_cache.hpp"
#include "layers/fallback_journal.hpp"

namespace threadkeep {

/// What ends a call that cannot be accepted here, after `cause` at the primary, if it was asked: a
/// write that may be stored there is not "not done".
Error in_place_of(const std::optional<Error>& cause, const Error& error);
/// The error of a put that goes on from one that was set aside.
Error goes_on_from_set_aside(const Mutation& mutation);

/// Accepts mutations here: into the journal, and into what is here of their lanes. Holds the locks
/// of these lanes from its construction to its end, so that nobody reads what is not in the journal
/// yet. Used by one thread.
class FallbackWrites {
 public:
  /// `outcomes`: one for each mutation of the batch.
  FallbackWrites(FallbackJournal& journal, FallbackCache& cache, std::span<const Mutation> batch,
                 const std::vector<std::size_t>& places, bool takes_unknown);
  /// Undoes what was accepted, unless it is finished.
  ~FallbackWrites();
  FallbackWrites(const FallbackWrites&) = delete;
  FallbackWrites& operator=(const FallbackWrites&) = delete;

  /// In the order of the batch. `cause`: the error of the primary, if it was asked. False when
  /// nothing of the lane waits and the primary was not asked: it can be now.
  bool accept(std::size_t place, const std::optional<Error>& cause, Outcome& outcome,
              const Call& call);
  /// Makes what was accepted durable; where that fails, nothing was accepted and the outcomes say
  /// so.
  void finish(std::vector<Outcome>& outcomes, const Call& call);

 private:
  struct Part {
    std::shared_ptr<FallbackLane> lane;
    std::unique_lock<std::mutex> lock;
    FallbackOverlay::Mark mark;
    bool marked = false;
    bool left = false;  // One is left to the primary, so those after it are too.
    std::size_t accepted = 0;
  };
  struct Entry {
    Part* part = nullptr;
    std::optional<std::size_t> place;  // none: the base
    std::optional<Mutation> mutation;
    std::optional<Error> cause;
  };

  Situation situation_of(const Part& part, bool failed) const;
  void mark(Part& part, Change change);
  static std::optional<Error> refused(const FallbackLane& lane, const Mutation& mutation);
  void carry_out(Part& part, std::size_t place, const std::optional<Error>& cause, Outcome& outcome,
                 const Call& call);
  void add(Part& part, std::size_t place, Mutation mutation, const std::optional<Error>& cause);
  void number_entries(std::int64_t first);
  void fail(const Error& error, std::vector<Outcome>& outcomes);

  FallbackJournal& journal_;
  FallbackCache& cache_;
  const std::span<const Mutation> batch_;
  const bool takes_unknown_;
  std::map<std::string, Part> parts_;  // by key: always locked in this order
  std::vector<JournalRecord> records_;
  std::vector<Entry> entries_;  // one for each record
  bool is_finished_ = false;
};

}  // namespace threadkeep
