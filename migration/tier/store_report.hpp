// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "archive/line.hpp"
#include "migration/tier/store_copy.hpp"

namespace threadkeep::migration {

/// A report under way, which tells progress and problems as they come. Not thread-safe.
class StoreReporter {
 public:
  /// `options` must outlive it.
  explicit StoreReporter(const StoreCopyOptions& options) : options_(options) {}

  StoreReport& report() noexcept { return report_; }
  void problem(StoreProblem problem);
  /// Tells how far it is.
  void step(const std::string& thread_id) const;
  /// Notes once that something cannot be handed over.
  void not_carried(const std::string& text);

 private:
  const StoreCopyOptions& options_;
  StoreReport report_;
};

/// Adds what is in a thread.
void add(StoreCounts& counts, const ops::Counts& parts) noexcept;

/// `call` with the time of one thread. Throws Error(cancelled) when it was stopped.
Call call_of_thread(const Call& call, const StoreCopyOptions& options);

/// Of one thread or scope; with all other errors the store cannot go on.
bool is_problem(Code code) noexcept;

/// For a handler of `error`: throws that of a store that cannot go on; one of a thread alone is a
/// problem.
StoreProblem problem_of(const Error& error, const std::string& thread_id,
                        const StoreCopyOptions& options);

}  // namespace threadkeep::migration
