// SPDX-License-Identifier: Apache-2.0
#include "layers/fallback_writes.hpp"

namespace threadkeep {

namespace {

// Such a mutation finds nothing to change: it need not wait.
bool is_void(const Written& written) {
  return written.dropped > 0 && written.changed == 0 && written.kept == 0;
}

Error as_cause_has_it(const Error& error, const std::optional<Error>& cause) {
  const bool unknown = cause && cause->code() == Code::outcome_unknown;
  return Error(unknown ? Code::outcome_unknown : error.code(), "fallback: " + error.message(),
               error.native());
}

}  // namespace

FallbackWrites::FallbackWrites(FallbackJournal& journal, FallbackCache& cache,
                               std::span<const Mutation> batch,
                               const std::vector<std::size_t>& places, bool takes_unknown)
    : journal_(journal), cache_(cache), batch_(batch), takes_unknown_(takes_unknown) {
  for (const std::size_t place : places) {
    if (const auto scope = scope_of(batch_[place])) {
      Part& part = parts_[key_of(*scope)];
      if (!part.lane) part.lane = cache_.find_or_make(*scope);
    }
  }
  for (auto& [key, part] : parts_) part.lock = std::unique_lock(part.lane->mutex);
}

Situation FallbackWrites::situation_of(const Part& part, bool failed) const {
  const FallbackLane& lane = *part.lane;
  return {.waits = lane.waits() || part.accepted > 0 || lane.was_read_here,
          .failed = failed,
          .takes_unknown = takes_unknown_,
          .reach = lane.overlay.reach(),
          .holds = false};
}

bool FallbackWrites::accept(std::size_t place, const std::optional<Error>& cause, Outcome& outcome,
                            const Call& call) {
  const Mutation& mutation = batch_[place];
  const auto scope = scope_of(mutation);
  if (!scope) throw Error(Code::internal, "fallback: a mutation without a thread");
  Part& part = parts_.at(key_of(*scope));
  const Situation situation = situation_of(part, cause.has_value());
  const Change change = change_of(mutation);
  const Route route = route_write(change, situation);
  const bool can_be_sent = !cause && !part.lane->waits() && part.accepted == 0;
  if (route == Route::primary || (route == Route::refuse && can_be_sent)) return false;
  if (route == Route::refuse) {
    outcome.error = refusal(name_of(*scope), situation, cause).during(operation_name(mutation));
    return true;
  }
  mark(part, change);
  outcome = part.lane->overlay.apply(mutation, call);
  if (outcome.error || is_void(outcome.written)) return true;
  add(part, place, cause);
  part.lane->overlay.note(mutation);
  return true;
}

// What the first one builds on is folded together before.
void FallbackWrites::mark(Part& part, Change change) {
  if (part.marked) return;
  FallbackOverlay& overlay = part.lane->overlay;
  const bool was_complete = overlay.base().complete;
  if (overlay.reach() == Reach::unknown && begins(change, takes_unknown_)) overlay.begin();
  if (!part.lane->waits()) overlay.compact();
  part.mark = overlay.mark();
  part.mark.complete = was_complete;
  part.marked = true;
}

void FallbackWrites::add(Part& part, std::size_t place, const std::optional<Error>& cause) {
  const FallbackLane& lane = *part.lane;
  const std::string& name = name_of(lane.overlay.scope());
  if (!lane.waits() && part.accepted == 0) {
    records_.push_back({name, base_kind, encode(lane.overlay.base())});
    entries_.push_back({&part, {}, {}});
  }
  ++part.accepted;
  const Mutation& mutation = batch_[place];
  records_.push_back({name, std::string(operation_name(mutation)), encode(mutation)});
  entries_.push_back({&part, place, cause});
}

void FallbackWrites::finish(std::vector<Outcome>& outcomes, const Call& call) {
  try {
    if (!records_.empty()) number_entries(journal_.append(records_, call));
  } catch (const Error& error) {
    fail(error, outcomes);
  }
  for (auto& [key, part] : parts_) {
    if (part.marked && part.accepted == 0) part.lane->overlay.roll_back(part.mark);
    cache_.account(*part.lane);
  }
}

void FallbackWrites::number_entries(std::int64_t first) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    FallbackLane& lane = *entries_[i].part->lane;
    const std::int64_t seq = first + static_cast<std::int64_t>(i);
    const std::size_t bytes = records_[i].body.size();
    if (const auto place = entries_[i].place) {
      lane.waiting.push_back({seq, batch_[*place], bytes});
    } else {
      lane.base_entry = {seq, bytes};
    }
  }
}

void FallbackWrites::fail(const Error& error, std::vector<Outcome>& outcomes) {
  for (const Entry& entry : entries_) {
    entry.part->accepted = 0;
    if (!entry.place) continue;
    outcomes[*entry.place] = {
        {}, as_cause_has_it(error, entry.cause).during(operation_name(batch_[*entry.place]))};
  }
}

}  // namespace threadkeep
