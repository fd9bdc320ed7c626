// SPDX-License-Identifier: Apache-2.0
#include "layers/fallback_layer.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "layers/fallback_backend.hpp"
#include "threadkeep/log.hpp"

namespace threadkeep {

namespace {

constexpr auto probe_time = std::chrono::seconds(5);

std::string plural(std::uint64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace

void FallbackLayer::tell_what_is_configured() const {
  const bool durable = parts_->journal.durable();
  log({durable ? LogLevel::info : LogLevel::warning,
       "fallback_configured",
       durable ? "while the store cannot be reached, threads that are known here go on, and writes "
                 "wait in a journal on the disk"
               : "while the store cannot be reached, threads that are known here go on, and writes "
                 "wait in memory: they are lost when this process ends before the store is back",
       {{"journal", durable ? "durable" : "memory"},
        {"unknown_threads", takes_unknown() ? "allow" : "refuse"}}});
}

void FallbackLayer::get_ready(const Call& call) {
  guard_.check();
  parts_->get_ready(call);
}

void FallbackLayer::Parts::get_ready(const Call& call) {
  if (loaded) return;
  const std::scoped_lock lock(loading);
  if (loaded) return;
  load(call);
  loaded = true;
}

// What an earlier process left is not to wait for a call.
void FallbackLayer::Parts::look_for_backlog() {
  try {
    if (journal.durable() && journal.has_entries({Deadline::after(probe_time), {}})) {
      watch.notice_backlog();
    }
  } catch (const Error&) {
    // The first call says what is wrong.
  }
}

// First all that can fail, so that it can be called again.
void FallbackLayer::Parts::load(const Call& call) {
  std::map<std::string, Found> lanes;
  std::vector<JournalPlace> old;
  for (auto& [seq, bytes, body] : journal.load(call)) {
    auto* base = std::get_if<LaneBase>(&body);
    const auto scope = base ? std::optional(base->scope) : scope_of(std::get<Mutation>(body));
    if (!scope) {
      journal.set_aside(seq, bytes, "", "it spans threads", call);
      continue;
    }
    Found& found = lanes[key_of(*scope)];
    if (base) {
      // It is written when nothing waits, so what is before it was on its way out.
      found.collect(old);
      found = {*scope, {{seq, bytes}}, std::move(*base), {}};
    } else {
      found.scope = *scope;
      found.waiting.push_back({seq, std::move(std::get<Mutation>(body)), bytes});
    }
  }
  for (auto& [key, found] : lanes) {
    if (found.waiting.empty()) found.collect(old);
  }
  for (const auto& [seq, bytes] : old) journal.remove({{seq}}, bytes, call);
  remember_set_aside(call);
  for (auto& [key, found] : lanes) take(found);
  if (journal.known().entries > 0) watch.notice_backlog();
}

// What goes on from these would not be whole, whichever process set them aside.
void FallbackLayer::Parts::remember_set_aside(const Call& call) {
  const auto remember = [&](const Mutation& mutation) {
    const auto* put = std::get_if<PutCheckpoint>(&mutation);
    if (!put) return;
    const auto lane = cache.find_or_make(StateScope::of_thread(put->thread_id));
    const std::scoped_lock lock(lane->mutex);
    lane->aside.emplace(put->checkpoint_ns, put->checkpoint_id);
  };
  journal.for_each_set_aside(remember, call);
}

void FallbackLayer::Found::collect(std::vector<JournalPlace>& places) {
  if (base_entry) places.push_back(*base_entry);
  for (const Waiting& entry : waiting) places.push_back({entry.seq, entry.bytes});
  base_entry.reset();
}

// Where something is missing between the base and what waits, nothing can be read until it is
// stored.
void FallbackLayer::Parts::take(Found& found) {
  if (found.waiting.empty()) return;
  const auto lane = cache.find_or_make(found.scope);
  const std::scoped_lock lock(lane->mutex);
  const bool follows = found.base_entry && found.waiting.front().seq == found.base_entry->seq + 1;
  lane->overlay.forget();
  if (follows) lane->overlay.restore(std::move(found.base));
  if (!follows) lane->overlay.distrust();
  for (const Waiting& entry : found.waiting) lane->overlay.note(entry.mutation);
  lane->waiting.assign(found.waiting.begin(), found.waiting.end());
  lane->base_entry = found.base_entry;
  cache.account(*lane);
}

FallbackWatch::Attempt FallbackLayer::Parts::try_to_end(Backend& primary, const Call& call) {
  try {
    get_ready(call);
    const Call probe{std::min(call.deadline, Deadline::after(probe_time)), call.stop};
    const Health health = primary.ping(probe);
    if (!health.ok) {
      told_of_replay = false;
      return {false, health.detail};
    }
    if (owes_setup) primary.setup(call);
    owes_setup = false;
    const auto waiting = journal.known().entries;
    if (waiting > 0 && !std::exchange(told_of_replay, true)) {
      log({LogLevel::info,
           "fallback_replay_began",
           "the store can be reached again; what was accepted meanwhile is sent to it",
           {{"entries", std::to_string(waiting)}}});
    }
    const std::string trouble = replay.drain(call);
    if (trouble.empty()) told_of_replay = false;
    return {trouble.empty(), trouble};
  } catch (const std::exception& error) {
    return {false, error.what()};
  } catch (...) {
    return {false, "an unknown failure"};
  }
}

std::string FallbackLayer::Parts::describe() const {
  const JournalSizes sizes = journal.known();
  const auto counts = replay.counts();
  return "entries in the journal: " + std::to_string(sizes.entries) + " (" +
         std::to_string(sizes.bytes) + " bytes), " + plural(counts.replayed, "write") +
         " stored since the start, " + plural(counts.forks, "fork") + ", " +
         std::to_string(sizes.set_aside) + " set aside";
}

FallbackWatch::Counts FallbackLayer::Parts::count() const {
  const JournalSizes sizes = journal.known();
  const auto done = replay.counts();
  return {sizes.entries, done.replayed, done.forks, sizes.set_aside};
}

std::optional<std::string> FallbackLayer::journal_trouble(const Call& call) {
  try {
    get_ready(call);
    parts_->journal.count_set_aside_again(call);
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

// A store that is set up wrong, or lets nobody in, does not come back by itself: calls end with its
// error, and the fallback does not take over.
bool FallbackLayer::refuses_calls(const Call& call) {
  try {
    inner().thread({"?"}, call);
    return false;
  } catch (const Error& error) {
    return error.code() == Code::invalid_argument || error.code() == Code::denied;
  }
}

Health FallbackLayer::ping(const Call& call) {
  guard_.check();
  const auto trouble = journal_trouble(call);
  Health health = inner().ping(call);
  const JournalSizes sizes = parts_->journal.known();
  if (trouble) {
    health.detail = "no fallback: " + *trouble + "; the store: " + health.detail;
    health.ok = health.ok && parts_->loaded;  // Else no call gets as far as the store.
    health.degraded = true;
    return health;
  }
  if (health.ok && sizes.entries == 0 && sizes.set_aside == 0) return health;
  if (!health.ok && sizes.entries == 0 && refuses_calls(call)) return health;
  if (!health.ok) parts_->watch.notice_outage(health.detail);
  const bool goes_on_here = !health.ok || sizes.entries > 0;
  health.detail = (goes_on_here ? "in the fallback: " : "") + parts_->describe() +
                  "; the store: " + health.detail;
  health.ok = true;
  health.degraded = true;
  return health;
}

std::vector<Finding> FallbackLayer::examine(const Call& call) {
  guard_.check();
  auto findings = inner().examine(call);
  for (Finding& finding : parts_->journal.examine(call)) findings.push_back(std::move(finding));
  return findings;
}

// The first use sets up too, so what is put off here is not left out.
void FallbackLayer::setup(const Call& call) {
  get_ready(call);
  const Stopwatch watched(call);
  try {
    inner().setup(call);
  } catch (const Error& error) {
    if (!is_outage(error, watched.times())) throw;
    parts_->owes_setup = true;
    parts_->watch.notice_outage(error.what());
  }
}

std::unique_ptr<Backend> around_with_fallback(std::unique_ptr<Backend> primary,
                                              std::unique_ptr<Backend> journal,
                                              FallbackOptions options) {
  if (!options.open_memory) {
    throw Error(Code::invalid_argument, "fallback: open_memory is missing; let it open memory:");
  }
  return std::make_unique<FallbackLayer>(std::move(primary), std::move(journal),
                                         std::move(options));
}

}  // namespace threadkeep
