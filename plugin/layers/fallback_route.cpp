// SPDX-License-Identifier: Apache-2.0
#include "layers/fallback_route.hpp"

#include "overloaded.hpp"

namespace threadkeep {

namespace {

Change change_of_put(const PutCheckpoint& put) {
  if (put.parent_checkpoint_id) return Change::child_put;
  return put.checkpoint_ns.empty() ? Change::first_put : Change::put;
}

bool can_read(Need need, const Situation& s) {
  if (need == Need::primary) return false;
  switch (s.reach) {
    case Reach::complete:
      return true;
    case Reach::partial:
      if (need == Need::latest) return s.holds || (s.takes_unknown && !s.is_hollow);
      return need == Need::checkpoint && s.holds;
    case Reach::unknown:
      // Who knows an id has it from somewhere.
      return s.takes_unknown && need != Need::checkpoint;
  }
  return false;
}

bool can_write(Change change, const Situation& s) {
  switch (s.reach) {
    case Reach::complete:
      return true;
    case Reach::partial:
      return change != Change::other;
    case Reach::unknown:
      return s.takes_unknown || change == Change::first_put;
  }
  return false;
}

Route route(bool can_here, const Situation& s) {
  if (!s.waits && !s.failed) return Route::primary;
  return can_here ? Route::here : Route::refuse;
}

std::string explain(const Situation& s) {
  if (s.waits && !s.failed) {
    return "changes of it that were accepted while the store could not be reached are being "
           "stored; try again in a moment";
  }
  if (s.reach == Reach::unknown) {
    return "the store cannot be reached, and nothing of this is known here: it cannot be told from "
           "a new one; try again when the store is back, or use fallback_new=allow";
  }
  return "the store cannot be reached, and only the latest checkpoints of this are known here; try "
         "again when the store is back";
}

}  // namespace

Change change_of(const Mutation& mutation) {
  return std::visit(Overloaded{[](const PutCheckpoint& m) { return change_of_put(m); },
                               [](const PutWrites&) { return Change::writes; },
                               [](const PutThread&) { return Change::metadata; },
                               [](const auto&) { return Change::other; }},
                    mutation);
}

std::optional<StateScope> scope_of(const Mutation& mutation) {
  if (const auto* change = std::get_if<ChangeState>(&mutation)) return change->scope;
  const std::string_view thread_id = lane(mutation);
  if (thread_id.empty()) return {};
  return StateScope::of_thread(std::string(thread_id));
}

Route route_read(Need need, const Situation& situation) {
  return route(can_read(need, situation), situation);
}

Route route_write(Change change, const Situation& situation) {
  return route(can_write(change, situation), situation);
}

// What goes on from something that is not here cannot be read back as a whole.
bool begins(Change change, bool takes_unknown) {
  if (change == Change::first_put) return true;
  return takes_unknown && change != Change::child_put && change != Change::writes;
}

bool is_outage(const Error& error, const CallTimes& times) noexcept {
  const bool has_time = times.deadline.is_never() || times.ended < times.deadline.at();
  return has_time && sign_of(error, times) == Sign::fails;
}

Replayed after_replay(const Outcome& outcome, bool demanded) {
  if (!outcome.error) return outcome.written.dropped > 0 ? Replayed::set_aside : Replayed::done;
  switch (outcome.error->code()) {
    case Code::conflict:
      return demanded ? Replayed::again_without_demand : Replayed::set_aside;
    case Code::invalid_argument:
    case Code::duplicate:
      return Replayed::set_aside;
    // Not about the content: somebody has to mend the store.
    case Code::unsupported:
    case Code::internal:
    case Code::unavailable:
    case Code::timeout:
    case Code::cancelled:
    case Code::outcome_unknown:
    case Code::corrupt:
    case Code::denied:
    case Code::no_space:
      return Replayed::wait;
  }
  return Replayed::wait;
}

bool builds_on(const Mutation& mutation, const CheckpointKeys& checkpoints) {
  if (const auto* writes = std::get_if<PutWrites>(&mutation)) {
    return checkpoints.contains({writes->checkpoint_ns, writes->checkpoint_id});
  }
  const auto* put = std::get_if<PutCheckpoint>(&mutation);
  if (!put) return false;
  if (checkpoints.contains({put->checkpoint_ns, put->checkpoint_id})) return true;
  return put->parent_checkpoint_id &&
         checkpoints.contains({put->checkpoint_ns, *put->parent_checkpoint_id});
}

bool Descent::takes(const Mutation& later) {
  const bool part =
      has_all_ || (has_sessions_ && is_session(later)) || builds_on(later, checkpoints_);
  if (part) add(later);
  return part;
}

void Descent::add(const Mutation& mutation) {
  if (const auto* put = std::get_if<PutCheckpoint>(&mutation)) {
    checkpoints_.emplace(put->checkpoint_ns, put->checkpoint_id);
  }
  has_sessions_ |= is_session(mutation);
  has_all_ |= std::holds_alternative<DeleteThread>(mutation);
}

Error refusal(std::string_view lane, const Situation& situation,
              const std::optional<Error>& cause) {
  std::string text = "'" + std::string(lane) + "': " + explain(situation);
  if (cause) text += " (" + cause->message() + ")";
  const bool unknown = cause && cause->code() == Code::outcome_unknown;
  return Error(unknown ? Code::outcome_unknown : Code::unavailable, text, "fallback");
}

Error refusal_of_all(std::uint64_t waiting) {
  return Error(Code::unavailable,
               std::to_string(waiting) +
                   " changes that were accepted while the store could not be reached are not "
                   "stored yet, so what spans threads has to wait; try again in a moment",
               "fallback");
}

}  // namespace threadkeep
