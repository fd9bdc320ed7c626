// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "threadkeep/call.hpp"
#include "threadkeep/migration_lock.hpp"
#include "threadkeep/model.hpp"

/// \file
/// What a copy of a store needs beside Store's own operations: to find what no listing shows, and
/// what a store notes about threads. Times are microseconds since 1970 UTC.

namespace threadkeep {

/// What a store notes about a thread, whether or not the thread is there.
struct ThreadNotes {
  std::string thread_id;
  std::optional<std::string> tombstone;  ///< The greatest checkpoint id that was deleted.
  bool pinned = false;
  std::vector<std::string> holds;          ///< Their names, in bytewise order.
  std::optional<std::int64_t> expires_at;  ///< The thread's own time, ordered by somebody.
  /// When the store drops the thread by itself unless it is used; only where there is no own time.
  std::optional<std::int64_t> deadline;

  bool has_orders() const noexcept {
    return pinned || !holds.empty() || expires_at.has_value() || deadline.has_value();
  }
  friend bool operator==(const ThreadNotes&, const ThreadNotes&) = default;
};

/// What is to be noted about a thread; what is absent stays as it is.
struct ThreadNotesChange {
  std::string thread_id;
  std::optional<std::int64_t> created_at;  ///< Of a thread that is there.
  std::optional<std::int64_t> updated_at;  ///< Of a thread that is there.
  std::optional<std::string> tombstone;    ///< Raised to this, never lowered.
  std::optional<std::int64_t> deadline;    ///< Where TransferHost::has_deadlines(); never sooner.
};

/// A store that lets itself be copied whole. Thread-safe; errors are Backend's.
class TransferHost {
 public:
  virtual ~TransferHost() = default;
  TransferHost() = default;
  TransferHost(const TransferHost&) = delete;
  TransferHost& operator=(const TransferHost&) = delete;

  /// In the order of the ids.
  virtual std::vector<ThreadNotes> notes(const std::vector<std::string>& thread_ids,
                                         const Call& call) = 0;
  /// Each change by itself, in order.
  virtual void change(const std::vector<ThreadNotesChange>& changes, const Call& call) = 0;
  /// Ids of threads that Store::threads does not list although something is kept for them: writes
  /// without a checkpoint, a tombstone, a pin, a hold or a time. Some may come twice, and some that
  /// are listed may be among them. An empty page may have a next one.
  virtual Page<std::string> unlisted(const std::string& cursor, std::size_t limit,
                                     const Call& call) = 0;
  /// Names of the named scopes that have documents; some may come twice. Pages as above.
  virtual Page<std::string> scopes(const std::string& cursor, std::size_t limit,
                                   const Call& call) = 0;
  /// Whether threads of this store go by themselves when they are not used.
  virtual bool has_deadlines() const { return false; }

  /// The right to copy into this store, as tables::Database::lock; must not outlive it. Null where
  /// the store has tables, which have a lock, and where nobody else can reach it.
  virtual std::unique_ptr<tables::MigrationLock> lock(std::chrono::milliseconds /*patience*/,
                                                      const tables::OnWaiting& /*waiting*/,
                                                      const Call& /*call*/) {
    return nullptr;
  }
};

}  // namespace threadkeep
