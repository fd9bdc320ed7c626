// SPDX-License-Identifier: Apache-2.0
#include "layers/fallback_replay.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "layers/read_back.hpp"
#include "threadkeep/log.hpp"

namespace threadkeep {

namespace {

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

// Of such an error of one nothing can be said about the others.
bool says_nothing(Code code) {
  return code == Code::unavailable || code == Code::timeout || code == Code::outcome_unknown ||
         code == Code::cancelled;
}

bool is_slow(const Error& error) {
  return error.code() == Code::timeout || error.code() == Code::outcome_unknown;
}

// What the store has answered is noted, also when the attempt is over by then: it would be sent
// again by the next one.
Call noting() {
  return {Deadline::after(std::chrono::seconds(5)), {}};
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

void FallbackReplay::Removal::add(const JournalPlace& place) {
  seqs.push_back(place.seq);
  bytes += place.bytes;
}

void FallbackReplay::Removal::add(const std::vector<JournalPlace>& places) {
  for (const JournalPlace& place : places) add(place);
}

std::string FallbackReplay::drain(const Call& call) {
  Course course;
  try {
    auto trouble = drain(course, call);
    reopen_all();
    return trouble;
  } catch (...) {
    reopen_all();
    throw;
  }
}

std::string FallbackReplay::drain(Course& course, const Call& call) {
  drop_old();
  for (Batch batch = next_batch(course); !batch.empty(); batch = next_batch(course)) {
    if (call.stop.stop_requested() || call.deadline.passed()) return "changes are being stored";
    send(batch, course, call);
    drop_old();
    if (course.is_over) break;
  }
  return course.trouble;
}

// The first ones of each lane, the oldest of them.
FallbackReplay::Batch FallbackReplay::next_batch(const Course& course) {
  Batch batch;
  for (auto& lane : cache_.waiting()) {
    if (!course.stuck.contains(lane)) add_run(lane, batch);
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
  const auto size = std::min({batch.size(), limit_, static_cast<std::size_t>(fitting)});
  batch.erase(batch.begin() + static_cast<std::ptrdiff_t>(size), batch.end());
  if (course.flows) close_small(batch);
  return batch;
}

// Nothing of it may be stored when what it builds on is refused, so these do not go together unless
// the demand sees to that.
void FallbackReplay::add_run(const std::shared_ptr<FallbackLane>& lane, Batch& batch) {
  const std::scoped_lock lock(lane->mutex);
  auto last_sent = lane->last_sent;
  CheckpointKeys in_run;
  std::size_t length = 0;
  for (const Waiting& waiting : lane->waiting) {
    const bool follows = is_keyed(lane->waiting.front().mutation) && is_keyed(waiting.mutation);
    if (length > 0 && (!follows || length == longest_run)) return;
    Sending sending{lane, waiting, false};
    if (auto* put = std::get_if<PutCheckpoint>(&sending.waiting.mutation)) {
      put->require_latest_parent =
          !lane->forked && (put->require_latest_parent || can_demand(*lane, last_sent, *put));
      sending.demanded = put->require_latest_parent;
      if (!sending.demanded && builds_on(*put, in_run)) return;
      last_sent[put->checkpoint_ns] = put->checkpoint_id;
      in_run.emplace(put->checkpoint_ns, put->checkpoint_id);
    }
    ++length;
    batch.push_back(std::move(sending));
  }
}

// Lanes of which only a little waits, and those that grow as fast as they are sent.
void FallbackReplay::close_small(const Batch& batch) {
  std::set<const FallbackLane*> seen;
  for (const Sending& sending : batch) {
    FallbackLane& lane = *sending.lane;
    if (!seen.insert(&lane).second || closed_.contains(sending.lane)) continue;
    const std::scoped_lock lock(lane.mutex);
    const std::size_t backlog = lane.waiting.size();
    const std::size_t before = std::exchange(lane.last_backlog, backlog);
    const bool grows = before > 0 && backlog >= before;
    if (backlog > 4 * longest_run && !grows) continue;
    lane.closing = true;
    closed_.insert(sending.lane);
  }
}

void FallbackReplay::reopen_all() {
  for (const auto& lane : closed_) {
    const std::scoped_lock lock(lane->mutex);
    lane->open_again();
  }
  closed_.clear();
}

void FallbackReplay::send(const Batch& batch, Course& course, const Call& call) {
  std::vector<Mutation> mutations;
  mutations.reserve(batch.size());
  for (const Sending& sending : batch) mutations.push_back(sending.waiting.mutation);
  try {
    judge(batch, primary_.apply(mutations, call), course, call);
  } catch (const Error& error) {
    if (is_slow(error) && take_less(batch)) return;
    course.trouble = error.what();
    course.is_over = says_nothing(error.code());
    for (const Sending& sending : batch) course.stuck.insert(sending.lane);
  }
}

// What the store cannot do in the time of one try is divided, for it would be too much again.
bool FallbackReplay::take_less(const Batch& batch) {
  if (batch.size() == 1) return false;
  limit_ = batch.size() / 2;
  return true;
}

// After one that is not done those after it in its lane wait too, or go again with it.
void FallbackReplay::judge(const Batch& batch, const std::vector<Outcome>& outcomes, Course& course,
                           const Call& call) {
  const bool slow = std::all_of(outcomes.begin(), outcomes.end(), [](const Outcome& outcome) {
    return outcome.error && is_slow(*outcome.error);
  });
  if (slow && take_less(batch)) return;
  Batch done;
  std::vector<std::size_t> refused;
  Lanes held;
  bool is_reached = false;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Sending& sending = batch[i];
    const auto& error = outcomes[i].error;
    is_reached |= !error || !says_nothing(error->code());
    if (held.contains(sending.lane)) continue;
    const Replayed what = verdict(sending, outcomes[i], call);
    if (what == Replayed::done) {
      done.push_back(sending);
      continue;
    }
    held.insert(sending.lane);
    if (what == Replayed::again_without_demand) report_fork(sending);
    if (what == Replayed::set_aside) refused.push_back(i);
    if (what == Replayed::wait) {
      course.stuck.insert(sending.lane);
      course.trouble = error ? error->what() : "the store could not be asked";
    }
  }
  course.is_over = !is_reached;
  course.flows |= !done.empty();
  if (!done.empty()) limit_ = std::min(2 * limit_, max_batch);
  finish(done);
  for (const std::size_t i : refused) set_aside(batch[i], outcomes[i]);
}

Replayed FallbackReplay::verdict(const Sending& sending, const Outcome& outcome, const Call& call) {
  const Replayed verdict = after_replay(outcome, sending.demanded);
  if (verdict != Replayed::set_aside) return verdict;
  const Mutation& mutation = sending.waiting.mutation;
  try {
    const bool may_be_done = outcome.error && outcome.error->code() == Code::conflict &&
                             needs_read_back(mutation) &&
                             read_back(primary_, mutation, call) == Trace::alike;
    // A store that has been taken away meanwhile refuses for other reasons than the content.
    if (!may_be_done) return primary_.ping(call).ok ? verdict : Replayed::wait;
  } catch (const Error&) {
    return Replayed::wait;
  }
  log({LogLevel::warning,
       "fallback_seems_stored",
       "a change that was accepted while the store could not be reached is refused by it, and "
       "seems to be stored already: it is not sent again",
       {{"lane", name_of(sending.lane->overlay.scope())},
        {"seq", std::to_string(sending.waiting.seq)},
        {"reason", outcome.error->what()}}});
  return Replayed::done;
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

// First the journal: what is stored twice is no harm, what is forgotten is. Checkpoints and their
// writes stay in it until nothing of their lane waits: a process that finds the journal needs all
// since the base. Where that cannot be, since others would be done twice, it finds a gap.
void FallbackReplay::finish(const Batch& done) {
  struct Part {
    std::shared_ptr<FallbackLane> lane;
    std::unique_lock<std::mutex> lock;
    std::vector<const Waiting*> done;
    bool keeps = true;
  };
  std::map<std::string, Part> parts;  // by key: always locked in this order
  for (const Sending& sending : done) {
    Part& part = parts[sending.lane->key];
    part.lane = sending.lane;
    part.done.push_back(&sending.waiting);
    part.keeps &= is_keyed(sending.waiting.mutation);
  }
  Removal removal;
  for (auto& [key, part] : parts) {
    FallbackLane& lane = *part.lane;
    part.lock = std::unique_lock(lane.mutex);
    const bool is_last = part.done.size() == lane.waiting.size();
    part.keeps &= !is_last;
    if (is_last && lane.base_entry) removal.add(*lane.base_entry);
    if (part.keeps) continue;
    removal.add(lane.sent);
    for (const Waiting* waiting : part.done) removal.add({waiting->seq, waiting->bytes});
  }
  journal_.remove(removal.seqs, removal.bytes, noting());
  for (auto& [key, part] : parts) {
    FallbackLane& lane = *part.lane;
    if (!part.keeps) lane.sent.clear();
    for (const Waiting* waiting : part.done) {
      if (part.keeps) lane.sent.push_back({waiting->seq, waiting->bytes});
      pop(lane, *waiting, true);
    }
    if (lane.waits()) continue;
    lane.base_entry.reset();
    end(lane);
  }
  replayed_ += done.size();
  replayed_total_.add(done.size());
}

// The last ones first: what a process that ends in between leaves can be refused again.
void FallbackReplay::set_aside(const Sending& sending, const Outcome& outcome) {
  FallbackLane& lane = *sending.lane;
  const std::string name = name_of(lane.overlay.scope());
  const std::string reason = outcome.error
                                 ? outcome.error->what()
                                 : "what it belongs to was deleted from the store in the meantime";
  const std::vector<Waiting> all = descent_of(lane, sending.waiting);
  for (auto waiting = all.rbegin(); waiting != all.rend(); ++waiting) {
    const bool is_first = waiting->seq == sending.waiting.seq;
    journal_.set_aside(waiting->seq, waiting->bytes, name,
                       is_first ? reason
                                : "it builds on entry " + std::to_string(sending.waiting.seq) +
                                      ", which was set aside: " + reason,
                       noting());
    const std::scoped_lock lock(lane.mutex);
    pop(lane, *waiting, false);
    ++set_aside_;
    if (lane.waits()) continue;
    if (const auto entry = std::exchange(lane.base_entry, {})) old_.add(*entry);
    old_.add(std::exchange(lane.sent, {}));
    end(lane);
  }
}

// From now on nothing more is accepted that belongs to it.
std::vector<Waiting> FallbackReplay::descent_of(FallbackLane& lane, const Waiting& first) {
  const std::scoped_lock lock(lane.mutex);
  std::vector<Waiting> all{first};
  Descent descent(first.mutation);
  for (const Waiting& waiting : lane.waiting) {
    if (waiting.seq > first.seq && descent.takes(waiting.mutation)) all.push_back(waiting);
  }
  lane.aside.insert(descent.checkpoints().begin(), descent.checkpoints().end());
  lane.sessions_aside |= descent.has_sessions();
  return all;
}

void FallbackReplay::pop(FallbackLane& lane, const Waiting& waiting, bool stored) {
  std::erase_if(lane.waiting, [&](const Waiting& w) { return w.seq == waiting.seq; });
  // What is here is not what is there.
  if (!stored) lane.forked = true;
  const auto* put = std::get_if<PutCheckpoint>(&waiting.mutation);
  if (!put || !stored) return;
  lane.last_sent[put->checkpoint_ns] = put->checkpoint_id;
  lane.aside.erase({put->checkpoint_ns, put->checkpoint_id});
}

// Nothing of it waits any more.
void FallbackReplay::end(FallbackLane& lane) {
  if (lane.forked) {
    lane.overlay.forget();
  } else {
    lane.overlay.end();
  }
  lane.forked = false;
  lane.was_read_here = false;
  lane.sessions_aside = false;
  lane.last_sent.clear();
  lane.last_backlog = 0;
  lane.open_again();
  ++lane.writes_ended;
  cache_.account(lane);
}

void FallbackReplay::drop_old() {
  journal_.remove(old_.seqs, old_.bytes, noting());
  old_ = {};
}

}  // namespace threadkeep
