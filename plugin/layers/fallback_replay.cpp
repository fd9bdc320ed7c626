// SPDX-License-Identifier: Apache-2.0
#include "layers/fallback_replay.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "threadkeep/log.hpp"

namespace threadkeep {

namespace {

constexpr std::size_t max_batch = 256;
constexpr std::size_t max_batch_bytes = 8 << 20;
constexpr std::size_t longest_run = 32;  // of one lane

// Sent again together, in their order, such mutations come to the same in the end, whichever of
// them were stored the first time.
bool is_keyed(const Mutation& mutation) {
  return std::holds_alternative<PutCheckpoint>(mutation) ||
         std::holds_alternative<PutWrites>(mutation);
}

using LastSent = std::map<std::string, std::string>;

// True when the thread must stand where this put goes on, if nobody else has written to it.
bool can_demand(const FallbackLane& lane, const LastSent& last_sent, const PutCheckpoint& put) {
  const auto sent = last_sent.find(put.checkpoint_ns);
  if (sent != last_sent.end()) return put.parent_checkpoint_id == sent->second;
  if (!lane.overlay.knows_base(put.checkpoint_ns)) return false;
  const auto base = lane.overlay.base_id(put.checkpoint_ns);
  return put.parent_checkpoint_id == base && put.checkpoint_id != base;
}

std::vector<Mutation> mutations_of(const std::vector<Waiting>& entries) {
  std::vector<Mutation> mutations;
  mutations.reserve(entries.size());
  for (const Waiting& entry : entries) mutations.push_back(entry.mutation);
  return mutations;
}

}  // namespace

FallbackReplay::FallbackReplay(Backend& primary, FallbackJournal& journal, FallbackCache& cache,
                               Metrics& metrics)
    : primary_(primary),
      journal_(journal),
      cache_(cache),
      replayed_total_(metrics.counter("threadkeep_fallback_replayed_total",
                                      "Writes of journals that were stored in the end.")),
      forks_total_(metrics.counter(
          "threadkeep_fallback_forks_total",
          "Threads that went on elsewhere while writes to them waited in a journal.")) {}

std::string FallbackReplay::drain(const Call& call) {
  for (Batch batch = next_batch(); !batch.empty(); batch = next_batch()) {
    if (call.stop.stop_requested() || call.deadline.passed()) return "changes are being stored";
    auto trouble = send(std::move(batch), call);
    if (!trouble.empty()) return trouble;
  }
  drop_bases(call);
  return {};
}

// The first ones of each lane, the oldest of them.
FallbackReplay::Batch FallbackReplay::next_batch() {
  Batch batch;
  for (auto& lane : cache_.waiting()) {
    add_run(lane, batch);
    if (batch.size() >= 4 * max_batch) break;
  }
  std::sort(batch.begin(), batch.end(),
            [](const auto& a, const auto& b) { return a.waiting.seq < b.waiting.seq; });
  std::size_t bytes = 0;
  const auto is_over = [&](const Sending& sending) {
    return (bytes += sending.waiting.bytes) > max_batch_bytes;
  };
  const auto end = std::find_if(batch.begin(), batch.end(), is_over);
  const auto fitting = std::max<std::ptrdiff_t>(end - batch.begin(), 1);
  const auto size = std::min({batch.size(), max_batch, static_cast<std::size_t>(fitting)});
  batch.erase(batch.begin() + static_cast<std::ptrdiff_t>(size), batch.end());
  return batch;
}

void FallbackReplay::add_run(const std::shared_ptr<FallbackLane>& lane, Batch& batch) {
  const std::scoped_lock lock(lane->mutex);
  auto last_sent = lane->last_sent;
  std::size_t length = 0;
  for (const Waiting& waiting : lane->waiting) {
    const bool follows = is_keyed(lane->waiting.front().mutation) && is_keyed(waiting.mutation);
    if (length > 0 && (!follows || length == longest_run)) return;
    ++length;
    Sending sending{lane, waiting, false};
    if (auto* put = std::get_if<PutCheckpoint>(&sending.waiting.mutation)) {
      put->require_latest_parent =
          !lane->forked && (put->require_latest_parent || can_demand(*lane, last_sent, *put));
      sending.demanded = put->require_latest_parent;
      last_sent[put->checkpoint_ns] = put->checkpoint_id;
    }
    batch.push_back(std::move(sending));
  }
}

// The thread went on elsewhere.
void FallbackReplay::drop_demand(Sending& sending) {
  sending.demanded = false;
  auto* put = std::get_if<PutCheckpoint>(&sending.waiting.mutation);
  if (put) put->require_latest_parent = false;
}

std::string FallbackReplay::send(Batch batch, const Call& call) {
  std::vector<Waiting> entries;
  entries.reserve(batch.size());
  for (const Sending& sending : batch) entries.push_back(sending.waiting);
  std::vector<Outcome> outcomes;
  try {
    outcomes = primary_.apply(mutations_of(entries), call);
  } catch (const Error& error) {
    return error.what();
  }
  Batch again;
  auto trouble = judge(batch, outcomes, again, call);
  if (!trouble.empty() || again.empty()) return trouble;
  return send(std::move(again), call);
}

std::string FallbackReplay::judge(Batch& batch, const std::vector<Outcome>& outcomes, Batch& again,
                                  const Call& call) {
  Batch done;
  std::string trouble;
  std::map<const FallbackLane*, bool>
      held;  // Those after such a one wait too, or go again with it.
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Sending& sending = batch[i];
    const FallbackLane* lane = sending.lane.get();
    if (const auto found = held.find(lane); found != held.end()) {
      drop_demand(sending);
      if (found->second) again.push_back(std::move(sending));
      continue;
    }
    switch (after_replay(outcomes[i], sending.demanded)) {
      case Replayed::done:
        done.push_back(std::move(sending));
        break;
      case Replayed::again_without_demand:
        held[lane] = true;
        drop_demand(sending);
        again.push_back(std::move(sending));
        report_fork(again.back());
        break;
      case Replayed::wait:
        held[lane] = false;
        trouble = outcomes[i].error->what();
        break;
      case Replayed::set_aside:
        set_aside(sending, outcomes[i], call);
        break;
    }
  }
  finish(done, call);
  return trouble;
}

void FallbackReplay::report_fork(const Sending& sending) {
  {
    const std::scoped_lock lock(sending.lane->mutex);
    if (std::exchange(sending.lane->forked, true)) return;
  }
  ++forks_;
  forks_total_.add();
  const auto& put = std::get<PutCheckpoint>(sending.waiting.mutation);
  log({LogLevel::warning,
       "fallback_fork",
       "a thread was changed elsewhere while changes of it waited in the journal: it has two "
       "branches now",
       {{"thread_id", put.thread_id},
        {"checkpoint_ns", put.checkpoint_ns},
        {"checkpoint_id", put.checkpoint_id},
        {"parent_checkpoint_id", put.parent_checkpoint_id.value_or("")}}});
}

// First the journal: what is stored twice is no harm, what is forgotten is.
void FallbackReplay::finish(const Batch& done, const Call& call) {
  std::vector<std::int64_t> seqs;
  std::size_t bytes = 0;
  for (const Sending& sending : done) {
    seqs.push_back(sending.waiting.seq);
    bytes += sending.waiting.bytes;
  }
  journal_.remove(seqs, bytes, call);
  for (const Sending& sending : done) pop(sending, true);
  replayed_ += done.size();
  replayed_total_.add(done.size());
}

void FallbackReplay::set_aside(const Sending& sending, const Outcome& outcome, const Call& call) {
  const std::string reason = outcome.error
                                 ? outcome.error->what()
                                 : "what it belongs to was deleted from the store in the meantime";
  journal_.set_aside(sending.waiting.seq, sending.waiting.bytes,
                     name_of(sending.lane->overlay.scope()), reason, call);
  pop(sending, false);
  ++set_aside_;
}

void FallbackReplay::pop(const Sending& sending, bool stored) {
  FallbackLane& lane = *sending.lane;
  const std::scoped_lock lock(lane.mutex);
  std::erase_if(lane.waiting, [&](const Waiting& w) { return w.seq == sending.waiting.seq; });
  // What is here is not what is there.
  if (!stored) lane.forked = true;
  if (const auto* put = std::get_if<PutCheckpoint>(&sending.waiting.mutation); put && stored) {
    lane.last_sent[put->checkpoint_ns] = put->checkpoint_id;
  }
  if (lane.waits()) return;
  if (const auto entry = std::exchange(lane.base_entry, {})) {
    old_bases_.push_back(entry->first);
    old_bytes_ += entry->second;
  }
  if (lane.forked) {
    lane.overlay.forget();
  } else {
    lane.overlay.end();
  }
  lane.forked = false;
  lane.was_read_here = false;
  lane.last_sent.clear();
  ++lane.writes_ended;
  cache_.account(lane);
}

// Without one, a base says nothing to the process that finds it.
void FallbackReplay::drop_bases(const Call& call) {
  journal_.remove(old_bases_, old_bytes_, call);
  old_bases_.clear();
  old_bytes_ = 0;
}

}  // namespace threadkeep
