// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
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

  /// Goes on until nothing waits but what the primary cannot take now; says what is in the way.
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

  using Lanes = std::set<std::shared_ptr<FallbackLane>>;
  struct Removal {
    std::vector<std::int64_t> seqs;
    std::size_t bytes = 0;
    void add(const JournalPlace& place);
    void add(const std::vector<JournalPlace>& places);
  };
  /// What one attempt has found.
  struct Course {
    Lanes stuck;           ///< The primary cannot take their next one now.
    bool is_over = false;  ///< It cannot be reached.
    bool flows = false;    ///< It took something.
    std::string trouble;
  };

  std::string drain(Course& course, const Call& call);
  Batch next_batch(const Course& course);
  static void add_run(const std::shared_ptr<FallbackLane>& lane, Batch& batch);
  void close_small(const Batch& batch);
  void reopen_all();
  void send(const Batch& batch, Course& course, const Call& call);
  void judge(const Batch& batch, const std::vector<Outcome>& outcomes, Course& course,
             const Call& call);
  Replayed verdict(const Sending& sending, const Outcome& outcome, const Call& call);
  bool take_less(const Batch& batch);
  void report_fork(const Sending& sending);
  void finish(const Batch& done);
  void set_aside(const Sending& sending, const Outcome& outcome);
  static std::vector<Waiting> descent_of(FallbackLane& lane, const Waiting& first);
  static void pop(FallbackLane& lane, const Waiting& waiting, bool stored);
  void end(FallbackLane& lane);
  void drop_old();

  static constexpr std::size_t max_batch = 256;

  Backend& primary_;
  FallbackJournal& journal_;
  FallbackCache& cache_;
  Counter& replayed_total_;
  Counter& forks_total_;
  std::atomic<std::uint64_t> replayed_{0};
  std::atomic<std::uint64_t> forks_{0};
  std::atomic<std::uint64_t> set_aside_{0};
  std::size_t limit_ = max_batch;  // of entries that are sent at once
  Lanes closed_;
  Removal old_;  // Entries that say nothing any more.
};

}  // namespace threadkeep
