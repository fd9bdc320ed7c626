// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "threadkeep/retention/policy.hpp"
#include "threadkeep/retention/reports.hpp"
#include "threadkeep/store.hpp"

namespace threadkeep::retention {

/// Retention of a store: its policies, sweeps, orders and reports; see docs/operation/retention.md.
/// Thread-safe. Where it is not installed, or by another version, what needs it throws
/// Error(unsupported).
class Retention {
 public:
  virtual ~Retention() = default;
  Retention() = default;
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

  /// Creates or replaces what retention needs, in one transaction. Idempotent. Throws
  /// Error(unsupported) when a newer version of threadkeep has installed its own.
  virtual void install(const Call& call) = 0;

  /// Replaces the policies of the store.
  virtual void apply(std::span<const Policy> policies, const Call& call) = 0;
  virtual std::vector<Policy> policies(const Call& call) = 0;

  /// Whether a sweep without SweepOptions::archive is refused with Error(denied), also inside the
  /// server. False before the first time.
  virtual void require_archive(bool required, const Call& call) = 0;
  virtual bool archive_required(const Call& call) = 0;

  /// How long tombstones and the audit stay. KeepTimes() before the first time.
  virtual void keep(const KeepTimes& times, const Call& call) = 0;
  virtual KeepTimes keep_times(const Call& call) = 0;

  /// What a sweep would take now by the stored policies, ordered by policy and reason.
  virtual std::vector<Due> preview(const Call& call) = 0;
  /// The same by other policies, before they are applied.
  virtual std::vector<Due> preview(std::span<const Policy> policies, const Call& call) = 0;
  /// What a sweep that came to its end would remove now besides, were these stored.
  virtual Leftovers leftovers(const KeepTimes& times, const Call& call) = 0;
  /// Sweeps in batches, each of them a transaction. One that is stopped by `call` leaves its place
  /// to the next at once. Throws Error also where a batch failed; the run tells why.
  virtual SweepResult sweep(const SweepOptions& options, const Call& call) = 0;

  /// For readers: makes these threads as young as if something had been stored in them, where less
  /// than half of the time remains that a sliding policy gives them; how many that were. Fixed
  /// times, times of threads and `age` stay as they are. Where more remains this takes no lock and
  /// writes nothing.
  virtual std::uint64_t refresh(std::span<const std::string> thread_ids, const Call& call) = 0;

  /// The newest first.
  virtual std::vector<Run> runs(std::size_t limit, const Call& call) = 0;
  /// The newest first; `cursor` is empty or `next` of the page before.
  virtual Page<AuditEntry> audit(const std::string& cursor, std::size_t limit,
                                 const Call& call) = 0;
  /// Which threads should expire without a sweep and do not; looks at all of them. On Redis, where
  /// the store is opened with a `ttl`; elsewhere none is expected to.
  virtual ExpiryReport expiry(const Call&) { return {}; }

  /// A pin keeps a thread as it is, and so does each hold until it is released. When these return,
  /// no sweep that judged the thread before deletes from it any more. False: it was so already.
  virtual bool pin(const std::string& thread_id, const Call& call) = 0;
  virtual bool unpin(const std::string& thread_id, const Call& call) = 0;
  virtual bool hold(const std::string& thread_id, const std::string& name, const Call& call) = 0;
  virtual bool release(const std::string& thread_id, const std::string& name, const Call& call) = 0;
  /// The thread goes at that time (microseconds since 1970 UTC) and not before by being idle. An
  /// absent time leaves it to the policies again.
  virtual void expire(const std::string& thread_id, std::optional<std::int64_t> at,
                      const Call& call) = 0;
};

/// The retention of any store that has one: inside Postgres, else carried out by this program. The
/// store must outlive it. Throws Error(unsupported) for other stores.
std::unique_ptr<Retention> open_retention(Store& store);

}  // namespace threadkeep::retention
