// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "threadkeep/mutation.hpp"
#include "threadkeep/retention/decision.hpp"

/// \file
/// Random threads, and what retention has to know of them.

namespace threadkeep::retention_test {

struct RandomThread {
  retention::ThreadFacts facts;
  std::vector<Mutation> mutations;  ///< That store it.
  /// Only LangGraph's saver has written it: its row has to go after the mutations.
  bool adopted = false;
};

/// Namespaces, forks, parents that are gone, metadata-only children, shared and empty values,
/// inline values, delta channels, interrupts, times of every kind and none. `number` makes it
/// unique.
RandomThread make_random_thread(std::mt19937_64& random, int number, std::int64_t now);

/// "2026-01-31T12:00:00.123456+00:00"
std::string iso_time(std::int64_t microseconds);

}  // namespace threadkeep::retention_test
