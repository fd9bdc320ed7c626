// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/carried_notes.hpp"

#include <algorithm>
#include <utility>

namespace threadkeep::migration {

namespace {

using retention::Retention;

// Null where the store has none, or it is not installed.
std::unique_ptr<Retention> installed_retention(Store& store, const Call& call) {
  try {
    auto retention = retention::open_retention(store);
    static_cast<void>(retention->policies(call));
    return retention;
  } catch (const Error& error) {
    if (error.code() != Code::unsupported) throw;
    return nullptr;
  }
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::binary_search(names.begin(), names.end(), name);
}

}  // namespace

StoredPolicies read_policies(Store& store, const Call& call) {
  const auto retention = installed_retention(store, call);
  if (!retention) return {};
  return {retention::to_json(retention->policies(call)), retention->archive_required(call)};
}

std::uint64_t count_policies(const StoredPolicies& policies) {
  return retention::policies_from_json(policies.json).size();
}

CarriedNotes::CarriedNotes(const StoreContents& source, const StoreContents& target,
                           StoreReporter& reporter, bool dry_run)
    : source_(source), target_(target), reporter_(reporter), dry_run_(dry_run) {}

// Null where the target has none.
Retention* CarriedNotes::target_retention(const Call& call) {
  if (retention_) return retention_.get();
  retention_ = installed_retention(target_.store(), call);
  if (!retention_) {
    retention_ = retention::open_retention(target_.store());
    retention_->install(call);
  }
  return retention_.get();
}

void CarriedNotes::note_order() {
  ++reporter_.report().stored.orders;
}

bool CarriedNotes::carry_orders(const ThreadNotes& source, const ThreadNotes& target,
                                const Call& call) {
  if (!source.has_orders()) return true;
  if (target_.transfer() == nullptr) {
    reporter_.not_carried("pins, holds and times of threads: the target keeps none");
    return true;
  }
  if (source.pinned && !target.pinned) {
    note_order();
    if (!dry_run_) target_retention(call)->pin(source.thread_id, call);
  }
  for (const std::string& hold : source.holds) {
    if (contains(target.holds, hold)) continue;
    note_order();
    if (!dry_run_) target_retention(call)->hold(source.thread_id, hold, call);
  }
  return carry_time(source, target, call);
}

// A deadline of a store whose threads go by themselves becomes the thread's own time where the
// target has no such deadlines; it moved on in the source when the thread was used since.
bool CarriedNotes::carry_time(const ThreadNotes& source, const ThreadNotes& target,
                              const Call& call) {
  const bool as_deadline = source.deadline && target_.transfer()->has_deadlines();
  const auto wanted = source.expires_at ? source.expires_at : source.deadline;
  if (!wanted || as_deadline || target.expires_at == wanted) return true;
  if (source.expires_at && target.expires_at) return false;
  if (target.expires_at && *target.expires_at > *wanted) return true;
  note_order();
  if (!dry_run_) target_retention(call)->expire(source.thread_id, wanted, call);
  return true;
}

void CarriedNotes::add_change(const ThreadNotesChange& change) {
  if (!change.created_at && !change.updated_at && !change.tombstone && !change.deadline) return;
  if (target_.transfer() == nullptr) {
    reporter_.not_carried("times and tombstones of threads: the target keeps none that can be set");
    return;
  }
  if (change.tombstone) ++reporter_.report().stored.tombstones;
  if (!dry_run_) changes_.push_back(change);
}

void CarriedNotes::flush(const Call& call) {
  if (changes_.empty()) return;
  target_.transfer()->change(changes_, call);
  changes_.clear();
}

void CarriedNotes::carry_policies(const Call& call) {
  const StoredPolicies ours = source_.read([&] { return read_policies(source_.store(), call); });
  const StoredPolicies theirs = read_policies(target_.store(), call);
  StoreReport& report = reporter_.report();
  report.seen.policies = count_policies(ours);
  if (ours == StoredPolicies{} || ours == theirs) return;
  if (target_.transfer() == nullptr) return reporter_.not_carried("policies of retention");
  if (theirs.json != StoredPolicies{}.json && theirs.json != ours.json) {
    return reporter_.problem(
        {StoreProblemKind::conflict,
         {},
         {},
         Code::conflict,
         "the target has other policies of retention, which stay; compare both "
         "with 'threadkeep retention status' and apply the right ones"});
  }
  if (theirs.json != ours.json) report.stored.policies = count_policies(ours);
  if (dry_run_) return;
  Retention* retention = target_retention(call);
  // First, so that no sweep takes what was to be archived.
  if (ours.archive_required) retention->require_archive(true, call);
  if (theirs.json != ours.json) retention->apply(retention::policies_from_json(ours.json), call);
}

}  // namespace threadkeep::migration
