// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migration/tier/store_contents.hpp"
#include "migration/tier/store_report.hpp"
#include "threadkeep/retention/retention.hpp"

namespace threadkeep::migration {

/// The policies of a store and whether nothing may go without an archive; nothing where retention
/// is not installed.
struct StoredPolicies {
  std::string json = "[]";
  bool archive_required = false;

  friend bool operator==(const StoredPolicies&, const StoredPolicies&) = default;
};
StoredPolicies read_policies(Store& store, const Call& call);
/// How many there are.
std::uint64_t count_policies(const StoredPolicies& policies);

/// Hands over what stores note about threads: times, tombstones, pins, holds, expiry. Not
/// thread-safe.
class CarriedNotes {
 public:
  /// All must outlive it.
  CarriedNotes(const StoreContents& source, const StoreContents& target, StoreReporter& reporter,
               bool dry_run);

  /// Pins, holds and the thread's own time, so that they are there before the thread is. A time
  /// that differs is a conflict: false.
  bool carry_orders(const ThreadNotes& source, const ThreadNotes& target, const Call& call);
  /// Times and tombstone; they are stored with the next flush().
  void add_change(const ThreadNotesChange& change);
  std::size_t pending() const noexcept { return changes_.size(); }
  /// After the threads were stored, because whatever is written to them touches their times.
  void flush(const Call& call);
  /// After all threads: a policy must find all pins and times.
  void carry_policies(const Call& call);

 private:
  retention::Retention* target_retention(const Call& call);
  void note_order();
  bool carry_time(const ThreadNotes& source, const ThreadNotes& target, const Call& call);

  const StoreContents& source_;
  const StoreContents& target_;
  StoreReporter& reporter_;
  const bool dry_run_;
  std::unique_ptr<retention::Retention> retention_;  // of the target, once it is installed
  std::vector<ThreadNotesChange> changes_;
};

}  // namespace threadkeep::migration
