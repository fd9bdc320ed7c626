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

/// Accepts mutations here: into the journal, and into what is here of their lanes. Holds the locks
/// of these lanes from its construction to its end, so that nobody reads what is not in the journal
/// yet. Used by one thread.
class FallbackWrites {
 public:
  /// `outcomes`: one for each mutation of the batch.
  FallbackWrites(FallbackJournal& journal, FallbackCache& cache, std::span<const Mutation> batch,
                 const std::vector<std::size_t>& places, bool takes_unknown);

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
    std::size_t accepted = 0;
  };
  struct Entry {
    Part* part = nullptr;
    std::optional<std::size_t> place;  // none: the base
    std::optional<Error> cause;
  };

  Situation situation_of(const Part& part, bool failed) const;
  void mark(Part& part, Change change);
  void add(Part& part, std::size_t place, const std::optional<Error>& cause);
  void number_entries(std::int64_t first);
  void fail(const Error& error, std::vector<Outcome>& outcomes);

  FallbackJournal& journal_;
  FallbackCache& cache_;
  const std::span<const Mutation> batch_;
  const bool takes_unknown_;
  std::map<std::string, Part> parts_;  // by key: always locked in this order
  std::vector<JournalRecord> records_;
  std::vector<Entry> entries_;  // one for each record
};

}  // namespace threadkeep
