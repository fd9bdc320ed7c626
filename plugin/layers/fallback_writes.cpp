// SPDX-License-Identifier: Apache-2.0
#include "layers/fallback_writes.hpp"

#include <algorithm>
#include <utility>

#include "layers/read_back.hpp"

namespace threadkeep {

namespace {

// Such a mutation finds nothing to change: it need not wait.
bool is_void(const Written& written) {
  return written.dropped > 0 && written.changed == 0 && written.kept == 0;
}

// A part of a thread cannot tell what is a conflict in all of it.
Error judged_here(const Error& error, Reach reach) {
  if (error.code() != Code::conflict || reach == Reach::complete) return error;
  return Error(Code::unavailable, error.message(), error.native());
}

std::vector<std::string> ids_of(Backend& store, const std::string& thread_id,
                                const std::string& stream) {
  MessageList query;
  query.thread_id = thread_id;
  query.stream = stream;
  query.limit = max_messages;
  std::vector<std::string> ids;
  do {
    const auto page = store.messages(query, Call());
    for (const Message& message : page.items) ids.push_back(message.id);
    query.cursor = page.next;
  } while (!query.cursor.empty());
  return ids;
}

std::vector<std::string> ids_of(Backend& store, const ClearMessages& clear) {
  if (clear.stream) return ids_of(store, clear.thread_id, *clear.stream);
  std::vector<std::string> ids;
  for (const std::string& stream : store.streams({clear.thread_id}, Call())) {
    for (std::string& id : ids_of(store, clear.thread_id, stream)) ids.push_back(std::move(id));
  }
  return ids;
}

// A thread that was taken for new may be an old one: what finds nothing here may find it there.
bool may_find_more(Backend& store, const Mutation& mutation,
                   const std::vector<std::string>& cleared) {
  if (std::holds_alternative<ClearMessages>(mutation)) return cleared.empty();
  const auto* update = std::get_if<UpdateMessage>(&mutation);
  return update && !store.message({update->thread_id, update->id}, Call());
}

Error not_found_here(const std::string& lane) {
  return Error(Code::unavailable,
               "'" + lane +
                   "': the store cannot be reached, and this finds no message here, where only "
                   "those that were appended meanwhile are known; try again when the store is back",
               "fallback");
}

std::vector<Mutation> removals(const std::string& thread_id, const std::vector<std::string>& ids) {
  std::vector<Mutation> mutations;
  for (auto id = ids.begin(); id != ids.end();) {
    const auto count = std::min<std::ptrdiff_t>(ids.end() - id, max_messages);
    mutations.emplace_back(RemoveMessages{thread_id, {id, id + count}});
    id += count;
  }
  return mutations;
}

// What takes away the messages that are there takes others when it is repeated later: what waits is
// to take those that it took here.
std::vector<Mutation> as_it_waits(const Mutation& mutation, const Written& written,
                                  const std::vector<std::string>& cleared) {
  if (const auto* clear = std::get_if<ClearMessages>(&mutation)) {
    return removals(clear->thread_id, cleared);
  }
  const auto* pop = std::get_if<PopMessages>(&mutation);
  if (!pop) return {mutation};
  std::vector<std::string> ids;
  ids.reserve(written.messages.size());
  for (const Message& message : written.messages) ids.push_back(message.id);
  return removals(pop->thread_id, ids);
}

}  // namespace

Error in_place_of(const std::optional<Error>& cause, const Error& error) {
  const bool unknown = cause && cause->code() == Code::outcome_unknown;
  return unknown ? Error(Code::outcome_unknown, error.message(), error.native()) : error;
}

Error goes_on_from_set_aside(const Mutation& mutation) {
  return Error(Code::conflict,
               "the checkpoint that this builds on was refused by the store after an outage and "
               "set aside, so this would not be whole; go on from the latest checkpoint",
               "fallback")
      .during(operation_name(mutation));
}

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

FallbackWrites::~FallbackWrites() {
  if (is_finished_) return;
  for (auto& [key, part] : parts_) {
    try {
      if (part.marked) part.lane->overlay.roll_back(part.mark);
    } catch (...) {
      // There is no memory to look again at what is left, so less of it is served.
    }
  }
}

std::optional<Error> FallbackWrites::refused(const FallbackLane& lane, const Mutation& mutation) {
  if (builds_on(mutation, lane.aside)) return goes_on_from_set_aside(mutation);
  if (!lane.sessions_aside || !is_session(mutation)) return {};
  return Error(Code::unavailable,
               "'" + name_of(lane.overlay.scope()) +
                   "': a change of its messages or state was refused by the store after an outage "
                   "and set aside; try again in a moment",
               "fallback")
      .during(operation_name(mutation));
}

bool FallbackWrites::accept(std::size_t place, const std::optional<Error>& cause, Outcome& outcome,
                            const Call& call) {
  const Mutation& mutation = batch_[place];
  const auto scope = scope_of(mutation);
  if (!scope) throw Error(Code::internal, "fallback: a mutation without a thread");
  Part& part = parts_.at(key_of(*scope));
  if (part.left) return false;
  // A copy may still be on its way, and undo what comes after.
  if (cause && cause->code() == Code::outcome_unknown && !may_come_late(mutation)) {
    outcome.error = cause;
    return true;
  }
  const Situation situation = situation_of(part, cause.has_value());
  const Route route = route_write(change_of(mutation), situation);
  const bool can_be_sent = !cause && !part.lane->waits() && part.accepted == 0;
  if (route == Route::primary || (route == Route::refuse && can_be_sent)) {
    part.left = true;
    return false;
  }
  if (const auto error = refused(*part.lane, mutation)) {
    outcome.error = in_place_of(cause, *error);
  } else if (route == Route::refuse) {
    outcome.error = refusal(name_of(*scope), situation, cause).during(operation_name(mutation));
  } else {
    carry_out(part, place, cause, outcome, call);
  }
  return true;
}

void FallbackWrites::carry_out(Part& part, std::size_t place, const std::optional<Error>& cause,
                               Outcome& outcome, const Call& call) {
  const Mutation& mutation = batch_[place];
  FallbackOverlay& overlay = part.lane->overlay;
  mark(part, change_of(mutation));
  std::vector<std::string> cleared;
  if (const auto* clear = std::get_if<ClearMessages>(&mutation)) {
    cleared = ids_of(overlay.store(), *clear);
  }
  if (may_find_more(overlay.store(), mutation, cleared)) {
    const Error error = not_found_here(name_of(overlay.scope()));
    outcome.error = in_place_of(cause, error).during(operation_name(mutation));
    return;
  }
  outcome = overlay.apply(mutation, call);
  if (outcome.error) {
    const Error error = in_place_of(cause, judged_here(*outcome.error, overlay.reach()));
    outcome = {{}, error.during(operation_name(mutation))};
    return;
  }
  if (is_void(outcome.written)) return;
  auto waiting = as_it_waits(mutation, outcome.written, cleared);
  if (waiting.empty()) return;
  for (Mutation& one : waiting) add(part, place, std::move(one), cause);
  overlay.note(mutation);
}

// What the first one builds on is folded together before.
void FallbackWrites::mark(Part& part, Change change) {
  if (part.marked) return;
  FallbackOverlay& overlay = part.lane->overlay;
  const bool was_complete = overlay.base().complete;
  const bool begins_now = overlay.reach() == Reach::unknown && begins(change, takes_unknown_);
  if (begins_now) overlay.begin(takes_unknown_);
  if (!part.lane->waits()) overlay.compact();
  part.mark = overlay.mark();
  part.mark.complete = was_complete;
  part.mark.knew_root = !begins_now;
  part.marked = true;
}

void FallbackWrites::add(Part& part, std::size_t place, Mutation mutation,
                         const std::optional<Error>& cause) {
  const FallbackLane& lane = *part.lane;
  const std::string& name = name_of(lane.overlay.scope());
  if (!lane.waits() && part.accepted == 0) {
    records_.push_back({name, base_kind, encode(lane.overlay.base())});
    entries_.push_back({&part, {}, {}, {}});
  }
  ++part.accepted;
  records_.push_back({name, std::string(operation_name(mutation)), encode(mutation)});
  entries_.push_back({&part, place, std::move(mutation), cause});
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
  is_finished_ = true;
}

void FallbackWrites::number_entries(std::int64_t first) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    FallbackLane& lane = *entry.part->lane;
    const std::int64_t seq = first + static_cast<std::int64_t>(i);
    const std::size_t bytes = records_[i].body.size();
    if (entry.mutation) {
      lane.waiting.push_back({seq, std::move(*entry.mutation), bytes});
    } else {
      lane.base_entry = {seq, bytes};
    }
  }
}

void FallbackWrites::fail(const Error& error, std::vector<Outcome>& outcomes) {
  for (const Entry& entry : entries_) {
    entry.part->accepted = 0;
    if (!entry.place) continue;
    const Error here(error.code(), "fallback: " + error.message(), error.native());
    outcomes[*entry.place] = {
        {}, in_place_of(entry.cause, here).during(operation_name(batch_[*entry.place]))};
  }
}

}  // namespace threadkeep
