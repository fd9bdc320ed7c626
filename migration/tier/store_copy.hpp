// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "threadkeep/store.hpp"

/// \file
/// Copies everything that one store holds into another, of whatever kind both are, and proves it.
/// docs/storage/store-copy.md says what is carried, what is not, and why.

namespace threadkeep::migration {

/// How much there is of each kind.
struct StoreCounts {
  std::uint64_t threads = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t blobs = 0;
  std::uint64_t writes = 0;
  std::uint64_t messages = 0;
  std::uint64_t states = 0;      ///< Documents of threads.
  std::uint64_t scopes = 0;      ///< Documents of named scopes.
  std::uint64_t tombstones = 0;  ///< Threads from which something was deleted.
  std::uint64_t orders = 0;      ///< Pins, holds and times of threads.
  std::uint64_t policies = 0;    ///< Of retention.

  /// All but tombstones, orders and policies, which are no data of the application.
  std::uint64_t rows() const noexcept {
    return threads + checkpoints + blobs + writes + messages + states + scopes;
  }
  friend bool operator==(const StoreCounts&, const StoreCounts&) = default;
};

enum class StoreProblemKind {
  conflict,    ///< Both stores have it, with other content. Nothing of it was overwritten.
  deleted,     ///< One store has deleted what the other has.
  refused,     ///< The target does not take it.
  unreadable,  ///< It cannot be read in the source.
  missing,     ///< Verification: the target lacks it.
  different,   ///< Verification: both have it, and it is not equal.
  extra,       ///< Verification: only the target has it.
};

/// "conflict", "deleted", ...
std::string_view name_of(StoreProblemKind kind) noexcept;

/// Something that is not in the target as it is in the source.
struct StoreProblem {
  StoreProblemKind kind = StoreProblemKind::conflict;
  std::string thread_id;  ///< Or empty, where it is no thread's.
  std::string scope;      ///< The name of a scope; empty where it is no scope's.
  Code code = Code::conflict;
  std::string text;  ///< What, and the remedy; without content.
};

/// Where a copy or a verification is.
struct StoreProgress {
  StoreCounts seen;         ///< Of the source.
  StoreCounts stored;       ///< What the target lacked and got, or would get.
  std::uint64_t bytes = 0;  ///< Of the source, as lines of an archive.
  std::string thread_id;    ///< The last one that was looked at.
};

struct StoreCopyOptions {
  bool dry_run = false;  ///< Only reads.
  /// How long one thread may take; the call's own deadline counts too.
  std::chrono::nanoseconds thread_timeout = std::chrono::minutes(10);
  /// After each thread and each scope.
  std::function<void(const StoreProgress&)> progress = [](const StoreProgress&) {};
  /// Each problem when it is found.
  std::function<void(const StoreProblem&)> problem = [](const StoreProblem&) {};
  std::size_t max_problems = 1000;  ///< How many of them the report keeps.
};

/// What was done and found.
struct StoreReport {
  StoreCounts seen;
  StoreCounts stored;
  std::uint64_t bytes = 0;
  std::uint64_t copied = 0;  ///< Threads and scopes of which something was stored.
  std::uint64_t unchanged =
      0;                     ///< Those to which nothing was to do; in a verification, equal ones.
  std::uint64_t failed = 0;  ///< Those with a problem.
  std::uint64_t problem_count = 0;
  std::uint64_t unreadable = 0;          ///< Of the problems, those of the source.
  std::vector<StoreProblem> problems;    ///< The first ones.
  std::vector<std::string> not_carried;  ///< What these two stores cannot hand over, in words.

  bool ok() const noexcept { return problem_count == 0; }
};

/// Counts by Store::stats, exactly; tombstones, orders and policies are not counted. Where a store
/// counts documents of named scopes at all it may count them as those of threads. A copy with
/// dry_run knows the difference, and what the target lacks, at the price of reading all.
StoreCounts count_store(Store& store, const Call& call);

/// Stores in `target` what it lacks of `source`; overwrites and deletes nothing. May be run again
/// at any time, also after it was killed: what is equal there is skipped. Others may read both
/// stores meanwhile and write to the source; what they write after their thread's turn is for the
/// next run.
///
/// Memory: as ops::export_threads and ops::import_threads need for one thread. A thread in conflict
/// is reported and the others go on. Throws Error where a store cannot go on, where a thread took
/// longer than its time (`timeout`), and when `call` ends it; where that is the source, a
/// SourceError (migration/tier/source.hpp).
StoreReport copy_store(Store& source, Store& target, const StoreCopyOptions& options,
                       const Call& call);

/// Compares all that copy_store carries, thread by thread and in both directions. Changes nothing.
/// Throws as copy_store does. Nobody should write meanwhile: what was written in between is told as
/// a difference.
StoreReport verify_store(Store& source, Store& target, const StoreCopyOptions& options,
                         const Call& call);

}  // namespace threadkeep::migration
