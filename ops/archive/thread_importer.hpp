// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "archive/archived_thread.hpp"
#include "archive/comparison.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::ops {

/// A thread that was not imported, or not all of it.
struct ImportProblem {
  std::string thread_id;
  Code code = Code::conflict;
  std::string message;
};

/// What an import did, or would do.
struct ImportReport {
  std::uint64_t restored = 0;   ///< Threads of which something was stored.
  std::uint64_t unchanged = 0;  ///< Threads that were there already.
  std::uint64_t failed = 0;     ///< Threads with a problem.
  Counts stored;                ///< Rows that were stored.
};

struct ImportOptions {
  bool dry_run = false;  ///< Only reads.
  std::function<void(const ImportProblem&)> problem = [](const ImportProblem&) {};
  /// After each thread, with what has been done so far.
  std::function<void(const ImportReport&)> step = [](const ImportReport&) {};
};

/// Stores threads as they were, one after another, and what is small of several of them together.
/// Not thread-safe.
class ThreadImporter {
 public:
  /// Both must outlive it.
  ThreadImporter(Store& store, const ImportOptions& options) : store_(store), options_(options) {}

  /// Stores what the store lacks of a thread, now or with the next flush(). One in conflict is told
  /// and left as it is. Throws Error where the store cannot go on.
  void add(const ArchivedThread& thread, const Comparison& found, const Call& call);
  void flush(const Call& call);
  /// Everything that was added is stored, or was told as a problem.
  bool flushed() const noexcept { return batch_.empty(); }

  const ImportReport& report() const noexcept { return report_; }
  bool has_failed(const std::string& thread_id) const { return failed_.contains(thread_id); }

 private:
  void restore(const ArchivedThread& thread, const Comparison& found, const Call& call);
  void put(const ArchivedThread& thread, std::size_t index, const Call& call);
  void put_writes(const ArchivedThread& thread, const Comparison& found, const Call& call);
  void append(const ArchivedThread& thread, const std::string& stream,
              const std::vector<std::string>& ids, const Comparison& found, const Call& call);
  void put_states(const ArchivedThread& thread, const Comparison& found, const Call& call);
  void add(Mutation mutation, const Counts& counts, const Call& call);
  void check(const std::string& thread_id, const Outcome& outcome);
  bool fail(const ImportProblem& problem);

  Store& store_;
  const ImportOptions& options_;
  ImportReport report_;
  std::set<ArchivedThread::BlobKey> sent_;  // of the thread under way
  std::vector<Mutation> batch_;
  std::size_t bytes_ = 0;
  std::set<std::string> failed_;
};

}  // namespace threadkeep::ops
