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
  std::vector<Due> due;  ///< One for each reason; empty when nothing goes.
};

/// `rows` are those of a thread that is there.
Verdict judge(std::span<const Policy> policies, const ThreadRows& rows, std::int64_t now);

/// Takes away what it says of these rows; false when the thread is no longer as they are.
bool carry_out(const Verdict& verdict, const ThreadRows& rows, Transaction& transaction);

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
