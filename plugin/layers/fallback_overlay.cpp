// SPDX-License-Identifier: Apache-2.0
#include "layers/fallback_overlay.hpp"

#include <algorithm>
#include <limits>

#include "threadkeep/backend_support.hpp"

namespace threadkeep {

namespace {

// Mutations since the base, before they are folded into it.
constexpr std::size_t longest_list = 64;
constexpr std::size_t overhead = 512;

const Call& here() {
  static const Call call{.deadline = Deadline::never(), .stop = {}};
  return call;
}

void put(Backend& store, const Mutation& mutation) {
  const Outcome outcome = store.apply({&mutation, 1}, here()).front();
  if (outcome.error) throw *outcome.error;
}

// The base is not asked whether its parent is there.
void put(Backend& store, const CheckpointTuple& tuple) {
  put(store, PutCheckpoint{.thread_id = tuple.thread_id,
                           .checkpoint_ns = tuple.checkpoint_ns,
                           .checkpoint_id = tuple.checkpoint_id,
                           .parent_checkpoint_id = tuple.parent_checkpoint_id,
                           .document = tuple.document,
                           .metadata = tuple.metadata,
                           .blobs = tuple.values,
                           .require_latest_parent = false});
  if (tuple.writes.empty()) return;
  put(store, PutWrites{tuple.thread_id, tuple.checkpoint_ns, tuple.checkpoint_id, tuple.writes});
}

// What a get of the latest of its namespace shows once it is stored.
bool is_shown_by(const PutWrites& writes, const std::optional<CheckpointTuple>& latest) {
  return latest && writes.checkpoint_id <= latest->checkpoint_id;
}

bool is_shown_by(const Mutation& mutation, const std::string& checkpoint_ns,
                 const std::optional<CheckpointTuple>& latest) {
  if (const auto* put = std::get_if<PutCheckpoint>(&mutation)) {
    return put->checkpoint_ns == checkpoint_ns;
  }
  const auto* writes = std::get_if<PutWrites>(&mutation);
  return writes && writes->checkpoint_ns == checkpoint_ns && is_shown_by(*writes, latest);
}

bool is_tracked(const Mutation& mutation) {
  return std::holds_alternative<PutCheckpoint>(mutation) ||
         std::holds_alternative<PutWrites>(mutation);
}

std::size_t size_of(const LaneBase& base) {
  std::size_t bytes = overhead;
  for (const auto& [ns, latest] : base.latest) {
    bytes += overhead + ns.size() + (latest ? weight(*latest) : 0);
  }
  for (const PutWrites& writes : base.writes) bytes += overhead + weight(Mutation(writes));
  return bytes;
}

}  // namespace

FallbackOverlay::FallbackOverlay(StateScope scope, const OpenMemory& open) : open_(open) {
  base_.scope = std::move(scope);
  look_again();
}

Reach FallbackOverlay::reach() const noexcept {
  if (base_.complete) return Reach::complete;
  const bool nothing = held_.empty() && since_.empty() && hollow_.empty() && !is_distrusted_;
  return nothing ? Reach::unknown : Reach::partial;
}

bool FallbackOverlay::is_hollow(const std::string& checkpoint_ns) const {
  return is_distrusted_ || hollow_.contains(checkpoint_ns);
}

bool FallbackOverlay::holds(const std::string& checkpoint_ns) const {
  return held_.contains(checkpoint_ns);
}

bool FallbackOverlay::was_empty(const std::string& checkpoint_ns) const {
  const auto ns = held_.find(checkpoint_ns);
  return ns != held_.end() && ns->second.empty();
}

bool FallbackOverlay::holds(const std::string& checkpoint_ns,
                            const std::string& checkpoint_id) const {
  const auto ns = held_.find(checkpoint_ns);
  return ns != held_.end() && ns->second.contains(checkpoint_id);
}

bool FallbackOverlay::knows_base(const std::string& checkpoint_ns) const {
  return base_.complete || base_.latest.contains(checkpoint_ns);
}

std::optional<std::string> FallbackOverlay::base_id(const std::string& checkpoint_ns) const {
  const auto found = base_.latest.find(checkpoint_ns);
  if (found == base_.latest.end() || !found->second) return {};
  return found->second->checkpoint_id;
}

void FallbackOverlay::install(const std::string& checkpoint_ns,
                              const std::optional<CheckpointTuple>& latest) {
  std::erase_if(since_, [&](const Mutation& m) { return is_shown_by(m, checkpoint_ns, latest); });
  std::erase_if(base_.writes, [&](const PutWrites& w) {
    return w.checkpoint_ns == checkpoint_ns && is_shown_by(w, latest);
  });
  base_.latest[checkpoint_ns] = latest;
  std::erase(base_.hollow, checkpoint_ns);
  store_.reset();
  look_again();
}

void FallbackOverlay::note_seen(const std::string& checkpoint_ns,
                                const std::string& checkpoint_id) {
  const auto ns = held_.find(checkpoint_ns);
  if (ns == held_.end()) return;
  const bool is_newer = ns->second.empty() || checkpoint_id > *ns->second.rbegin();
  if (!is_newer) return;
  base_.latest.erase(checkpoint_ns);
  base_.hollow.push_back(checkpoint_ns);
  store_.reset();
  look_again();
}

void FallbackOverlay::restore(LaneBase base) {
  base_ = std::move(base);
  since_.clear();
  is_distrusted_ = false;
  store_.reset();
  look_again();
}

void FallbackOverlay::distrust() {
  LaneBase nothing;
  nothing.scope = base_.scope;
  base_ = std::move(nothing);
  is_distrusted_ = true;
  store_.reset();
  look_again();
}

void FallbackOverlay::forget() {
  LaneBase nothing;
  nothing.scope = base_.scope;
  restore(std::move(nothing));
}

void FallbackOverlay::begin(bool all) {
  if (all) {
    base_.complete = true;
  } else {
    base_.latest.try_emplace("");
  }
  look_again();
}

void FallbackOverlay::note_stored(const Mutation& mutation) {
  if (std::holds_alternative<DeleteThread>(mutation)) return forget();
  if (std::holds_alternative<Prune>(mutation)) return end();  // The latest ones stay.
  if (held_.empty() || !is_tracked(mutation)) return;
  store_.reset();
  // Only a get shows whether a namespace that is not known has other checkpoints.
  const auto* put = std::get_if<PutCheckpoint>(&mutation);
  if (put && !holds(put->checkpoint_ns)) return;
  note(mutation);
  if (since_.size() > longest_list) end();
}

void FallbackOverlay::note(const Mutation& mutation) {
  since_.push_back(mutation);
  // It was judged when the mutation was accepted.
  if (auto* put = std::get_if<PutCheckpoint>(&since_.back())) put->require_latest_parent = false;
  bytes_ += overhead + weight(mutation);
  look_at(mutation);
}

Outcome FallbackOverlay::apply(const Mutation& mutation, const Call& call) {
  return std::move(store().apply({&mutation, 1}, call).front());
}

void FallbackOverlay::roll_back(const Mark& mark) {
  since_.erase(since_.begin() + static_cast<std::ptrdiff_t>(mark.mutations), since_.end());
  base_.complete = mark.complete;
  if (!mark.knew_root) base_.latest.erase("");
  store_.reset();
  look_again();
}

void FallbackOverlay::compact() {
  Backend& filled = store();
  LaneBase base{.scope = base_.scope,
                .complete = base_.complete,
                .latest = {},
                .writes = {},
                .hollow = {hollow_.begin(), hollow_.end()}};
  if (!base_.scope.thread_id.empty()) {
    for (const auto& [ns, ids] : held_) {
      base.latest[ns] = filled.get({base_.scope.thread_id, ns, {}, {}}, here());
    }
    base.writes = filled.loose_writes(
        {base_.scope.thread_id, {}, std::numeric_limits<std::int32_t>::max()}, here());
  }
  base_ = std::move(base);
  since_.clear();
  look_again();
}

void FallbackOverlay::end() {
  if (is_distrusted_) return forget();
  try {
    compact();
    base_.complete = false;
    store_.reset();
  } catch (const Error&) {
    forget();  // It can be read again from the primary.
  }
}

Backend& FallbackOverlay::store() {
  if (!store_) {
    auto store = open_();
    fill(*store);
    store_ = std::move(store);
  }
  return *store_;
}

void FallbackOverlay::fill(Backend& store) const {
  for (const auto& [ns, latest] : base_.latest) {
    if (latest) put(store, *latest);
  }
  for (const PutWrites& writes : base_.writes) put(store, writes);
  for (const Mutation& mutation : since_) store.apply({&mutation, 1}, here());
}

void FallbackOverlay::look_again() {
  held_.clear();
  hollow_ = {base_.hollow.begin(), base_.hollow.end()};
  bytes_ = size_of(base_);
  for (const auto& [ns, latest] : base_.latest) {
    auto& ids = held_[ns];
    if (latest) ids.insert(latest->checkpoint_id);
  }
  for (const Mutation& mutation : since_) {
    bytes_ += overhead + weight(mutation);
    look_at(mutation);
  }
}

// A checkpoint can be read whole when its parent can, from which it took the values that it did not
// bring along.
void FallbackOverlay::look_at(const Mutation& mutation) {
  const auto* put = std::get_if<PutCheckpoint>(&mutation);
  if (!put) return;
  const std::string& ns = put->checkpoint_ns;
  const auto& parent = put->parent_checkpoint_id;
  if (!is_hollow(ns) && (!parent || holds(ns, *parent))) {
    held_[ns].insert(put->checkpoint_id);
    return;
  }
  held_.erase(ns);
  hollow_.insert(ns);
  base_.complete = false;  // It was taken for new, and is not.
}

}  // namespace threadkeep
