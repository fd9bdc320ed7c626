// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "layers/fallback_cache.hpp"
#include "layers/fallback_journal.hpp"

namespace threadkeep {

/// Sends what waits to the primary: each lane in its order, lanes beside each other. To be used by
/// one thread at a time, but for counts().
class FallbackReplay {
 public:
  /// All must outlive this.
  FallbackReplay(Backend& primary, FallbackJournal& journal, FallbackCache& cache,
                 Metrics& metrics);

  /// Goes on until nothing waits; else says what is in the way.
  std::string drain(const Call& call);

  struct Counts {
    std::uint64_t replayed = 0;
    std::uint64_t forks = 0;
    std::uint64_t set_aside = 0;
  };
  /// Since this was made.
  Counts counts() const noexcept { return {replayed_, forks_, set_aside_}; }

 private:
  struct Sending {
    std::shared_ptr<FallbackLane> lane;
    Waiting waiting;
    bool demanded = false;
  };
  using Batch = std::vector<Sending>;

  Batch next_batch();
  static void add_run(const std::shared_ptr<FallbackLane>& lane, Batch& batch);
  static void drop_demand(Sending& sending);
  std::string send(Batch batch, const Call& call);
  std::string judge(Batch& batch, const std::vector<Outcome>& outcomes, Batch& again,
                    const Call& call);
  void report_fork(const Sending& sending);
  void finish(const Batch& done, const Call& call);
  void set_aside(const Sending& sending, const Outcome& outcome, const Call& call);
  void pop(const Sending& sending, bool stored);
  void drop_bases(const Call& call);

  Backend& primary_;
  FallbackJournal& journal_;
  FallbackCache& cache_;
  Counter& replayed_total_;
  Counter& forks_total_;
  std::atomic<std::uint64_t> replayed_{0};
  std::atomic<std::uint64_t> forks_{0};
  std::atomic<std::uint64_t> set_aside_{0};
  // Entries of bases that nothing builds on any more.
  std::vector<std::int64_t> old_bases_;
  std::size_t old_bytes_ = 0;
};

}  // namespace threadkeep
