// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "threadkeep/retention/decision.hpp"
#include "threadkeep/retention/reports.hpp"
#include "threadkeep/retention_host.hpp"

namespace threadkeep::retention {

/// What goes from one thread, and how much that is: a dry run counts it, a sweep carries it out.
struct Verdict {
  bool whole = false;
  /// Of a thread that stays.
  CheckpointsByNamespace checkpoints;
  std::vector<Due> due;     ///< One for each reason; empty when nothing goes.
  ThreadRows judged;        ///< When something goes from a thread of a store.
  bool unreadable = false;  ///< A document of it is damaged, so nothing goes.
};

/// `rows` are those of a thread that is there.
Verdict judge(std::span<const Policy> policies, const ThreadRows& rows, std::int64_t now);

/// The same for a thread of a store, which may be absent. One from which nothing can go is not read
/// whole.
Verdict judge(std::span<const Policy> policies, const std::string& thread_id,
              Transaction& transaction);

/// False when nothing goes from a thread that looks like this.
bool may_be_due(std::span<const Policy> policies, const ThreadGlance& glance, std::int64_t now);

/// What a reader asks instead of whether a thread is idle: policies by which one is so as soon as
/// less than half of its time remains, where that slides.
std::vector<Policy> halved(std::vector<Policy> policies);

/// Takes away what it says of a thread of a store; false when that is no longer as it was judged.
bool carry_out(const Verdict& verdict, Transaction& transaction);

/// Sums by policy and reason.
class Totals {
 public:
  void add(const Due& due);
  /// Ordered by policy and reason.
  std::vector<Due> list() const;

 private:
  std::map<std::pair<std::string, std::string>, Due> sums_;
};

}  // namespace threadkeep::retention
