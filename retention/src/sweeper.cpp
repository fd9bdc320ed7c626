// SPDX-License-Identifier: Apache-2.0
#include "sweeper.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "fingerprint.hpp"
#include "hosted.hpp"
#include "requests.hpp"
#include "threadkeep/error.hpp"
#include "verdict.hpp"

namespace threadkeep::retention {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t lease = std::chrono::microseconds(1min).count();
constexpr std::int64_t lease_to_archive = std::chrono::microseconds(10min).count();

// What a batch looks at and takes from at most.
constexpr std::size_t threads_at_once = 50;
constexpr std::size_t most_looked_at = 1000;
constexpr std::size_t most_due = 250;
constexpr std::size_t most_purged = 1000;

// No further thread is taken in a transaction that is as old: others wait to write.
constexpr auto longest_transaction = 50ms;

// As long as others had to wait, but not for ever. Ends early when the call is to stop.
void let_others_write(std::chrono::steady_clock::duration held, const Call& call) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  const std::chrono::steady_clock::duration pause = std::clamp<decltype(held)>(held, 1ms, 100ms);
  never.wait_for(lock, call.stop, pause, [] { return false; });
}

[[noreturn]] void throw_lost(std::int64_t run) {
  throw Error(Code::conflict, "run " + std::to_string(run) + " has lost its lease");
}

// The newest run must be this one and at work.
void check_lease(Transaction& transaction, std::int64_t run) {
  const auto last = transaction.runs(1);
  if (last.empty() || last.front().run != run || last.front().state != "running") throw_lost(run);
}

void change(Transaction& transaction, const RunRecord& run) {
  if (!transaction.change_run(run)) throw_lost(run.run);
}

// A run that was killed leaves its place to the next after a minute.
bool is_free(Transaction& transaction, const std::vector<RunRecord>& last) {
  if (last.empty() || last.front().state != "running") return true;
  RunRecord dead = last.front();
  if (dead.alive_until >= transaction.now()) return false;
  dead.state = "died";
  dead.finished_at = transaction.now();
  transaction.change_run(dead);
  return true;
}

void add(Swept& swept, const std::vector<Due>& due) {
  if (!due.empty()) ++swept.threads;
  for (const Due& part : due) {
    swept.checkpoints += part.checkpoints;
    swept.writes += part.writes;
    swept.bytes += part.bytes;
  }
}

void note_all(Transaction& transaction, std::int64_t run, const Totals& totals) {
  for (const Due& due : totals.list()) {
    AuditEntry entry;
    entry.action = "sweep";
    entry.policy = due.policy;
    entry.reason = due.reason;
    entry.run = run;
    entry.threads = due.threads;
    entry.checkpoints = due.checkpoints;
    entry.writes = due.writes;
    entry.blobs = due.blobs;
    entry.bytes = due.bytes;
    note(transaction, entry);
  }
}

std::int64_t announce(Transaction& transaction, AuditEntry intent) {
  intent.at = transaction.now();
  intent.who = user_name();
  return transaction.announce(intent);
}

void settle(Transaction& transaction, const std::optional<std::int64_t>& announced) {
  if (announced.value_or(0) != 0) transaction.settle(*announced);
}

AuditEntry note_of_purge(std::int64_t run, std::uint64_t tombstones, const char* action) {
  AuditEntry entry;
  entry.action = action;
  entry.reason = "tombstones";
  entry.run = run;
  entry.threads = tombstones;
  return entry;
}

void note_archive(Transaction& transaction, std::int64_t run, const std::string& name,
                  std::uint64_t threads) {
  AuditEntry entry;
  entry.action = "archive";
  entry.reason = name;
  entry.run = run;
  entry.threads = threads;
  note(transaction, entry);
}

}  // namespace

Sweeper::Sweeper(Host& host, const SweepOptions& options, const Call& call)
    : host_(host), options_(options), call_(call), until_(Clock::now() + options.time_budget) {}

SweepResult Sweeper::run() {
  SweepResult result;
  if (!begin()) return result;
  try {
    work();
    purge();
    give_back();
    finish(at_end_ ? "done" : "paused", "", call_);
  } catch (const Error& error) {
    // So that the next sweep need not wait until this one counts as dead.
    const Call last{.deadline = Deadline::after(5s), .stop = {}};
    try {
      finish("failed", error.what(), last);
    } catch (const Error&) {
      throw error;
    }
    throw;
  }
  result.run = run_.run;
  result.finished = at_end_;
  result.policies = policies_;
  result.swept = run_.swept;
  result.summary = summary();
  return result;
}

bool Sweeper::begin() {
  bool free = true;
  host_.write(
      [&](Transaction& transaction) {
        check_installed(transaction);
        const auto last = transaction.runs(1);
        free = is_free(transaction, last);
        if (!free) return;
        run_.kind = "sweep";
        run_.state = "running";
        run_.who = user_name();
        run_.started_at = transaction.now();
        run_.alive_until = run_.started_at + lease;
        // Of one that came to its end there is no place to go on from.
        if (!last.empty()) run_.after = last.front().after;
        run_.run = transaction.add_run(run_, last.empty() ? 0 : last.front().run);
        free = run_.run != 0;
      },
      call_);
  return free;
}

// Of this moment; somebody may change them at any time.
Rules Sweeper::rules(Transaction& transaction) const {
  Rules rules = rules_from_text(transaction.policies());
  if (rules.archive_required && !options_.archive) throw Error(Code::denied, archive_is_required);
  return rules;
}

void Sweeper::work() {
  while (!at_end_ && has_time() && !has_enough(options_, run_.swept)) {
    look();
    if (at_end_ && due_.empty()) break;
    const std::uint64_t before = run_.swept.threads;
    const std::string archive = keep();
    do {
      const auto begun = Clock::now();
      take(archive);
      if (options_.progress) options_.progress(run_.swept);
      let_others_write(Clock::now() - begun, call_);
    } while (!due_.empty() && has_time());
    at_end_ = at_end_ && due_.empty();
    if (!archive.empty() && run_.swept.threads == before) options_.archive->forget(archive);
  }
}

void Sweeper::look() {
  due_.clear();
  looked_at_ = run_.after;
  host_.read(
      [&](Transaction& transaction) {
        const auto policies = rules(transaction).policies;
        policies_ = policies.size();
        look_at(transaction, policies);
      },
      call_);
}

void Sweeper::look_at(Transaction& transaction, const std::vector<Policy>& policies) {
  std::uint64_t checkpoints = 0;
  for (std::size_t looked = 0; looked < most_looked_at;) {
    const auto threads = transaction.threads_after(looked_at_, threads_at_once);
    at_end_ = threads.empty();
    if (at_end_) return;
    for (const std::string& id : threads) {
      const Verdict verdict = judge(policies, id, transaction);
      ++looked;
      looked_at_ = id;
      if (verdict.unreadable) unreadable_.push_back(id);
      if (verdict.due.empty()) continue;
      due_.push_back({id, options_.archive ? fingerprint(verdict.judged) : 0});
      for (const Due& due : verdict.due) checkpoints += due.checkpoints;
      if (due_.size() == most_due || checkpoints >= options_.batch_size) return;
    }
  }
}

std::string Sweeper::keep() {
  if (!options_.archive || due_.empty()) return {};
  host_.write(
      [&](Transaction& transaction) {
        check_lease(transaction, run_.run);
        run_.alive_until = transaction.now() + lease_to_archive;
        change(transaction, run_);
      },
      call_);
  std::vector<std::string> ids;
  for (const Candidate& candidate : due_) ids.push_back(candidate.thread_id);
  return options_.archive->keep(run_.run, ids, call_);
}

void Sweeper::take(const std::string& archive) {
  RunRecord run = run_;
  std::size_t dealt_with = 0;
  host_.write(
      [&](Transaction& transaction) {
        check_lease(transaction, run.run);
        Totals totals;
        std::optional<std::int64_t> announced;
        dealt_with = take_from(transaction, run, totals, announced);
        const bool all = dealt_with == due_.size();
        run.after = all ? looked_at_ : due_[dealt_with - 1].thread_id;
        run.alive_until = transaction.now() + lease;
        change(transaction, run);
        note_all(transaction, run.run, totals);
        const std::uint64_t threads = run.swept.threads - run_.swept.threads;
        if (!archive.empty() && threads > 0) note_archive(transaction, run.run, archive, threads);
        settle(transaction, announced);
      },
      call_);
  due_.erase(due_.begin(), due_.begin() + static_cast<std::ptrdiff_t>(dealt_with));
  run_ = run;
}

std::size_t Sweeper::take_from(Transaction& transaction, RunRecord& run, Totals& totals,
                               std::optional<std::int64_t>& announced) const {
  const auto begun = Clock::now();
  const auto policies = rules(transaction).policies;
  std::size_t dealt_with = 0;
  for (const auto& [id, seen] : due_) {
    if (dealt_with > 0 && Clock::now() - begun > longest_transaction) break;
    ++dealt_with;
    const Verdict verdict = judge(policies, id, transaction);
    if (verdict.due.empty()) continue;
    const bool archived = !options_.archive || fingerprint(verdict.judged) == seen;
    if (archived && !announced) announced = announce(transaction, intent_from(dealt_with - 1));
    if (archived && carry_out(verdict, transaction)) {
      add(run.swept, verdict.due);
      for (const Due& due : verdict.due) totals.add(due);
    } else {
      ++run.swept.busy;
    }
  }
  return dealt_with;
}

AuditEntry Sweeper::intent_from(std::size_t first) const {
  AuditEntry entry;
  entry.action = "sweep begun";
  entry.reason = "threads from " + due_[first].thread_id + " to " + due_.back().thread_id;
  entry.run = run_.run;
  entry.threads = due_.size() - first;
  return entry;
}

void Sweeper::purge() {
  for (bool more = at_end_; more && has_time();) {
    const auto begun = Clock::now();
    more = purge_some();
    if (more) let_others_write(Clock::now() - begun, call_);
  }
}

// True when something was there to go.
bool Sweeper::purge_some() {
  RunRecord run = run_;
  host_.write(
      [&](Transaction& transaction) {
        check_lease(transaction, run.run);
        const std::int64_t now = transaction.now();
        const KeepTimes keep = rules_from_text(transaction.policies()).keep;
        const auto old = transaction.count_tombstones(kept_since(keep.tombstones, now));
        std::optional<std::int64_t> announced;
        if (old > 0) {
          const auto most = std::min<std::uint64_t>(old, most_purged);
          announced = announce(transaction, note_of_purge(run.run, most, "purge begun"));
        }
        const auto tombstones =
            transaction.purge_tombstones(kept_since(keep.tombstones, now), most_purged);
        run.swept.tombstones += tombstones;
        run.swept.notes += transaction.purge_notes(kept_since(keep.audit, now), most_purged);
        if (run.swept != run_.swept) {
          run.alive_until = now + lease;
          change(transaction, run);
        }
        if (tombstones > 0) note(transaction, note_of_purge(run.run, tombstones, "purge"));
        settle(transaction, announced);
      },
      call_);
  const bool more = run.swept != run_.swept;
  run_ = run;
  return more;
}

void Sweeper::give_back() {
  for (bool more = true; more && has_time();) {
    const auto begun = Clock::now();
    more = host_.give_back(call_);
    if (more) let_others_write(Clock::now() - begun, call_);
  }
}

void Sweeper::finish(const std::string& state, const std::string& error, const Call& call) {
  host_.write(
      [&](Transaction& transaction) {
        check_lease(transaction, run_.run);
        run_.state = state;
        run_.error = error;
        run_.finished_at = transaction.now();
        if (state == "done") run_.after.clear();
        change(transaction, run_);
      },
      call);
}

std::string Sweeper::summary() const {
  const Swept& swept = run_.swept;
  return "run " + std::to_string(run_.run) + " " + run_.state + ": took checkpoints from " +
         std::to_string(swept.threads) + " threads (" + std::to_string(swept.checkpoints) +
         " checkpoints, " + std::to_string(swept.writes) + " writes)" +
         (swept.busy == 0 ? "" : ", passed over " + std::to_string(swept.busy) + " busy threads") +
         (swept.tombstones == 0
              ? ""
              : ", removed " + std::to_string(swept.tombstones) + " old tombstones") +
         (swept.notes == 0 ? "" : ", removed " + std::to_string(swept.notes) + " old notes") +
         (unreadable_.empty()
              ? ""
              : ", passed over " + std::to_string(unreadable_.size()) +
                    " threads with damaged documents, the first is " + unreadable_.front()) +
         (policies_ == 0 ? "; no policy is stored, so only expires_at counts" : "");
}

}  // namespace threadkeep::retention
