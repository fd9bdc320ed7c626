// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "migration/tier/store_copy.hpp"
#include "threadkeep/threadkeep.hpp"

/// \file
/// Stores to be copied, and what they hold.

namespace threadkeep::migration_test {

/// The clocks of source and target, so that a time that was not carried shows.
inline constexpr std::int64_t source_time = 1'700'000'000'000'000;
inline constexpr std::int64_t target_time = 1'790'000'000'000'000;
Environment source_environment();
Environment target_environment();

/// For calls of very many steps: the machine may be busy.
Call patient();

/// Threads of tests/ops/sample.hpp and beside them messages with gaps, state, named scopes,
/// tombstones of threads that are gone and of some that stay, pins, holds, times and policies.
void fill_all(Store& store, std::uint64_t seed, std::size_t threads = 8);

/// Everything that a copy carries, as texts: what readers get, times, tombstones, orders, scopes,
/// policies.
std::vector<std::string> everything(Store& store);

migration::StoreReport copy(Store& source, Store& target,
                            const migration::StoreCopyOptions& options = {});
migration::StoreReport verify(Store& source, Store& target);

/// Problems as "conflict ada: TEXT".
std::vector<std::string> texts(const migration::StoreReport& report);

/// The problems are these and no others: the beginnings of their texts, in any order.
void expect_problems(const migration::StoreReport& report, std::vector<std::string> beginnings);

}  // namespace threadkeep::migration_test
