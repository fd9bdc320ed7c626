// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "layers/fallback_backend.hpp"
#include "layers/fallback_writes.hpp"

namespace threadkeep {

namespace {

// How long a write waits for the end of the replay of its lane.
constexpr auto longest_pause = std::chrono::seconds(1);

}  // namespace

// After a read was answered here the primary may know more: a put that builds on it takes the way
// through the journal, which finds that out.
bool FallbackLayer::goes_on_here(const FallbackLane& lane, const Mutation& mutation) {
  return lane.waits() || (lane.was_read_here && std::holds_alternative<PutCheckpoint>(mutation));
}

std::vector<Outcome> FallbackLayer::apply(std::span<const Mutation> batch, const Call& call) {
  get_ready(call);
  std::vector<Outcome> outcomes(batch.size());
  const auto lanes_here = look_at_lanes(batch, outcomes, call);
  std::vector<std::size_t> there;
  std::vector<std::size_t> here;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (outcomes[i].error) continue;
    const auto scope = scope_of(batch[i]);
    const auto entries = parts_->journal.known().entries;
    if (!scope && entries > 0) {
      outcomes[i].error = refusal_of_all(entries).during(operation_name(batch[i]));
      continue;
    }
    (scope && lanes_here.contains(key_of(*scope)) ? here : there).push_back(i);
  }
  const auto left = accept(batch, here, false, outcomes, call);
  there.insert(there.end(), left.begin(), left.end());
  std::sort(there.begin(), there.end());
  accept(batch, send(batch, there, outcomes, call), true, outcomes, call);
  return outcomes;
}

// The keys of those that go on here, with all that the batch has of them: their order is to stay.
std::set<std::string> FallbackLayer::look_at_lanes(std::span<const Mutation> batch,
                                                   std::vector<Outcome>& outcomes,
                                                   const Call& call) {
  const auto half = call.deadline.left() / 2;
  const auto until = Deadline::after(std::min<std::chrono::nanoseconds>(half, longest_pause));
  std::set<std::string> here;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto scope = scope_of(batch[i]);
    const auto lane = scope ? parts_->cache.find(*scope) : nullptr;
    if (!lane) continue;
    std::unique_lock lock(lane->mutex);
    lane->reopened.wait_until(lock, call.stop, until.at(), [&] { return !lane->closing; });
    if (goes_on_here(*lane, batch[i])) {
      here.insert(lane->key);
    } else if (builds_on(batch[i], lane->aside)) {
      outcomes[i].error = goes_on_from_set_aside(batch[i]);
    }
  }
  return here;
}

// Those that the primary could not take.
std::vector<std::size_t> FallbackLayer::send(std::span<const Mutation> batch,
                                             const std::vector<std::size_t>& places,
                                             std::vector<Outcome>& outcomes, const Call& call) {
  if (places.empty()) return {};
  const Stopwatch watched(call);
  auto ended = apply_there(batch, places, call);
  const CallTimes times = watched.times();
  for (std::size_t i = 0; i < places.size(); ++i) outcomes[places[i]] = std::move(ended[i]);
  for (const std::size_t place : places) {
    const auto& error = outcomes[place].error;
    if (!error) note_stored(batch[place]);
    if (error && error->code() == Code::outcome_unknown) note_unknown(batch[place]);
  }
  return failed_over(batch, places, outcomes, times);
}

std::vector<Outcome> FallbackLayer::apply_there(std::span<const Mutation> batch,
                                                const std::vector<std::size_t>& places,
                                                const Call& call) {
  try {
    if (places.size() == batch.size()) return inner().apply(batch, call);
    std::vector<Mutation> some;
    some.reserve(places.size());
    for (const std::size_t place : places) some.push_back(batch[place]);
    return inner().apply(some, call);
  } catch (const Error& error) {
    std::vector<Outcome> outcomes;
    outcomes.reserve(places.size());
    for (const std::size_t place : places) {
      outcomes.push_back({{}, error.during(operation_name(batch[place]))});
    }
    return outcomes;
  }
}

// Where a later one of a lane was stored, one before it cannot be taken up any more.
std::vector<std::size_t> FallbackLayer::failed_over(std::span<const Mutation> batch,
                                                    const std::vector<std::size_t>& places,
                                                    const std::vector<Outcome>& outcomes,
                                                    const CallTimes& times) {
  std::vector<std::size_t> failed;
  std::set<std::string> went_on;
  const Error* why = nullptr;
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    const auto scope = scope_of(batch[*place]);
    const auto& error = outcomes[*place].error;
    if (!error && scope) went_on.insert(key_of(*scope));
    if (!error || !is_outage(*error, times)) continue;
    why = &*error;
    if (scope && !went_on.contains(key_of(*scope))) failed.push_back(*place);
  }
  if (why) parts_->watch.notice_outage(why->what());
  std::reverse(failed.begin(), failed.end());
  return failed;
}

// What is known of the thread or named scope that a mutation changes.
std::shared_ptr<FallbackLane> FallbackLayer::lane_changed_by(const Mutation& mutation) {
  const auto* copy = std::get_if<CopyThread>(&mutation);
  const auto scope = copy ? StateScope::of_thread(copy->target_thread_id) : scope_of(mutation);
  return scope ? parts_->cache.find(*scope) : nullptr;
}

void FallbackLayer::note_stored(const Mutation& mutation) {
  if (std::holds_alternative<DeleteRuns>(mutation)) return forget_all();
  const auto lane = lane_changed_by(mutation);
  if (!lane) return;
  const std::scoped_lock lock(lane->mutex);
  ++lane->writes_ended;
  if (lane->waits()) {
    // It was under way when others began to wait; they are read together from now on.
    lane->overlay.apply(mutation, Call());
    lane->overlay.note(mutation);
  } else if (std::holds_alternative<CopyThread>(mutation)) {
    lane->overlay.forget();
  } else {
    lane->overlay.note_stored(mutation);
  }
  if (const auto* put = std::get_if<PutCheckpoint>(&mutation)) {
    lane->aside.erase({put->checkpoint_ns, put->checkpoint_id});
  }
  parts_->cache.account(*lane);
}

// What it deletes or brings, if it was carried out, is not to be served from here as it was.
void FallbackLayer::note_unknown(const Mutation& mutation) {
  if (std::holds_alternative<DeleteRuns>(mutation)) return forget_all();
  const auto lane = lane_changed_by(mutation);
  if (!lane) return;
  const std::scoped_lock lock(lane->mutex);
  ++lane->writes_ended;
  const bool spares_checkpoints = !std::holds_alternative<CopyThread>(mutation) &&
                                  !std::holds_alternative<DeleteThread>(mutation) &&
                                  !std::holds_alternative<Prune>(mutation);
  if (spares_checkpoints || lane->waits()) return;
  lane->overlay.forget();
  parts_->cache.account(*lane);
}

void FallbackLayer::forget_all() {
  for (const auto& lane : parts_->cache.all()) {
    const std::scoped_lock lock(lane->mutex);
    ++lane->writes_ended;
    if (!lane->waits()) lane->overlay.forget();
    parts_->cache.account(*lane);
  }
}

// Those that the primary is to be asked for.
std::vector<std::size_t> FallbackLayer::accept(std::span<const Mutation> batch,
                                               const std::vector<std::size_t>& places, bool failed,
                                               std::vector<Outcome>& outcomes, const Call& call) {
  std::vector<std::size_t> left;
  if (places.empty()) return left;
  {
    FallbackWrites writes(parts_->journal, parts_->cache, batch, places, takes_unknown());
    for (const std::size_t place : places) {
      const auto cause = failed ? std::exchange(outcomes[place].error, {}) : std::nullopt;
      try {
        if (!writes.accept(place, cause, outcomes[place], call)) left.push_back(place);
      } catch (const Error& error) {
        outcomes[place] = {{}, in_place_of(cause, error).during(operation_name(batch[place]))};
      }
    }
    writes.finish(outcomes, call);
  }
  if (parts_->journal.known().entries > 0) parts_->watch.notice_backlog();
  return left;
}

}  // namespace threadkeep
