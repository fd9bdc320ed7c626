// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "rules.hpp"
#include "threadkeep/retention_host.hpp"
#include "verdict.hpp"

namespace threadkeep::retention {

/// One sweep through a host: a run with a lease, and batches that look first and delete then.
class Sweeper {
 public:
  Sweeper(Host& host, const SweepOptions& options, const Call& call);

  SweepResult run();

 private:
  using Clock = std::chrono::steady_clock;

  /// False when another run is alive.
  bool begin();
  void work();
  Rules rules(Transaction& transaction) const;
  /// On a snapshot: finds the next threads from which something is due.
  void look();
  void look_at(Transaction& transaction, const std::vector<Policy>& policies);
  /// Has them archived, if that is wanted; the name of what that made.
  std::string keep();
  /// The first of these in one transaction: takes what is due, each of them judged once more.
  void take(const std::string& archive);
  /// How many of these it has dealt with.
  std::size_t take_from(Transaction& transaction, RunRecord& run, Totals& totals,
                        std::optional<std::int64_t>& announced) const;
  /// What may go of these, from this one on.
  AuditEntry intent_from(std::size_t first) const;
  void finish(const std::string& state, const std::string& error, const Call& call);
  /// Takes away what deletions and sweeps of long ago have left.
  void purge();
  bool purge_some();
  void give_back();
  bool has_time() const { return Clock::now() < until_; }
  std::string summary() const;

  Host& host_;
  const SweepOptions& options_;
  const Call& call_;
  const Clock::time_point until_;
  RunRecord run_;
  struct Candidate {
    std::string thread_id;
    std::uint64_t seen = 0;  // its fingerprint, where it is archived
  };
  std::vector<Candidate> due_;
  std::string looked_at_;                // the last thread that was
  std::vector<std::string> unreadable_;  // threads
  bool at_end_ = false;
  std::size_t policies_ = 0;
};

}  // namespace threadkeep::retention
