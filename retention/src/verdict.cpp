// SPDX-License-Identifier: Apache-2.0
#include "verdict.hpp"

#include <algorithm>
#include <set>

#include "facts.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::retention {

namespace {

std::uint64_t size_of(const CheckpointRow& row) {
  return row.document.size() + row.metadata.size();
}

Due all_of(const ThreadRows& rows, const std::string& policy, Reason reason) {
  Due due;
  due.policy = policy;
  due.reason = to_string(reason);
  due.threads = 1;
  due.checkpoints = rows.checkpoints.size();
  due.writes = rows.writes.size();
  due.blobs = rows.blobs.size();
  for (const CheckpointRow& row : rows.checkpoints) due.bytes += size_of(row);
  for (const WriteRow& row : rows.writes) due.bytes += row.bytes;
  for (const BlobRow& row : rows.blobs) due.bytes += row.bytes;
  return due;
}

/// Counts what goes from a thread that stays.
class Thinned {
 public:
  Thinned(const ThreadRows& rows, const Decision& decision) : rows_(rows), decision_(decision) {
    for (const Removal& removal : decision.removals) {
      const std::string reason(to_string(removal.reason));
      reasons_[{removal.checkpoint_ns, removal.checkpoint_id}] = reason;
      // Blobs that several checkpoints shared are counted once.
      const auto [of_space, fresh] = spaces_.try_emplace(removal.checkpoint_ns, reason);
      of_space->second = std::min(of_space->second, reason);
    }
    count_checkpoints();
    count_writes();
    count_blobs();
  }

  std::vector<Due> list() const { return totals_.list(); }

 private:
  using Key = std::pair<std::string, std::string>;  // namespace, id

  void add(const std::string& reason, std::uint64_t Due::*kind, std::uint64_t bytes) {
    Due due;
    due.policy = decision_.policy;
    due.reason = reason;
    // A thread counts once for each reason.
    due.threads = counted_.insert(reason).second ? 1 : 0;
    due.*kind = 1;
    due.bytes = bytes;
    totals_.add(due);
  }

  void count_checkpoints() {
    for (const CheckpointRow& row : rows_.checkpoints) {
      const auto found = reasons_.find({row.checkpoint_ns, row.checkpoint_id});
      if (found != reasons_.end()) add(found->second, &Due::checkpoints, size_of(row));
    }
  }

  void count_writes() {
    for (const WriteRow& row : rows_.writes) {
      const auto found = reasons_.find({row.checkpoint_ns, row.checkpoint_id});
      if (found != reasons_.end()) add(found->second, &Due::writes, row.bytes);
    }
  }

  // Those that no checkpoint of the namespace names that stays.
  void count_blobs() {
    std::set<std::pair<std::string, Key>> named;  // namespace; channel, version
    for (const CheckpointRow& row : rows_.checkpoints) {
      if (!spaces_.contains(row.checkpoint_ns)) continue;
      if (reasons_.contains({row.checkpoint_ns, row.checkpoint_id})) continue;
      for (const Key& key : read_document(row.document).versions) {
        named.emplace(row.checkpoint_ns, key);
      }
    }
    for (const BlobRow& row : rows_.blobs) {
      const auto space = spaces_.find(row.checkpoint_ns);
      if (space == spaces_.end()) continue;
      if (named.contains({row.checkpoint_ns, {row.channel, row.version}})) continue;
      add(space->second, &Due::blobs, row.bytes);
    }
  }

  const ThreadRows& rows_;
  const Decision& decision_;
  std::map<Key, std::string> reasons_;
  std::map<std::string, std::string> spaces_;  // reasons of namespaces that lose something
  std::set<std::string> counted_;
  Totals totals_;
};

}  // namespace

Verdict judge(std::span<const Policy> policies, const ThreadRows& rows, std::int64_t now) {
  const Decision decision = decide(policies, facts_of(rows), now);
  Verdict verdict;
  if (decision.thread) {
    verdict.whole = true;
    verdict.due.push_back(all_of(rows, decision.policy, *decision.thread));
    return verdict;
  }
  for (const Removal& removal : decision.removals) {
    verdict.checkpoints[removal.checkpoint_ns].push_back(removal.checkpoint_id);
  }
  if (!decision.removals.empty()) verdict.due = Thinned(rows, decision).list();
  return verdict;
}

namespace {

Verdict judge_readable(std::span<const Policy> policies, const std::string& thread_id,
                       Transaction& transaction) {
  const ThreadGlance glance = transaction.glance(thread_id);
  if (!glance.edges.info || !may_be_due(policies, glance, transaction.now())) return {};
  ThreadRows rows = transaction.load(thread_id);
  if (!rows.info) return {};
  Verdict verdict = judge(policies, rows, transaction.now());
  if (!verdict.due.empty()) verdict.judged = std::move(rows);
  return verdict;
}

}  // namespace

// One thread that is damaged must not keep all others.
Verdict judge(std::span<const Policy> policies, const std::string& thread_id,
              Transaction& transaction) {
  try {
    return judge_readable(policies, thread_id, transaction);
  } catch (const Error& error) {
    if (error.code() != Code::corrupt) throw;
    Verdict verdict;
    verdict.unreadable = true;
    return verdict;
  }
}

// Whether a thread goes as a whole depends on nothing but what a glance shows.
bool may_be_due(std::span<const Policy> policies, const ThreadGlance& glance, std::int64_t now) {
  const Decision decision = decide(policies, facts_of(glance.edges), now);
  if (decision.thread) return true;
  if (glance.edges.pinned || glance.edges.held) return false;
  const auto policy = std::ranges::find(policies, decision.policy, &Policy::name);
  if (policy == policies.end() || glance.longest < 2) return false;
  return policy->age.count() != 0 || (policy->keep_last != 0 && glance.longest > policy->keep_last);
}

std::vector<Policy> halved(std::vector<Policy> policies) {
  for (Policy& policy : policies) {
    const bool slides = policy.idle.count() != 0 && policy.expiry == Expiry::sliding;
    policy.idle =
        slides ? std::max(policy.idle / 2, std::chrono::seconds(1)) : std::chrono::seconds(0);
    policy.age = std::chrono::seconds(0);
    policy.keep_last = 0;
  }
  return policies;
}

bool carry_out(const Verdict& verdict, Transaction& transaction) {
  if (verdict.due.empty()) return true;
  if (verdict.whole) return transaction.erase_thread(verdict.judged);
  return transaction.erase_checkpoints(verdict.judged, verdict.checkpoints);
}

void Totals::add(const Due& due) {
  Due& sum = sums_[{due.policy, due.reason}];
  sum.policy = due.policy;
  sum.reason = due.reason;
  for (auto member : {&Due::threads, &Due::checkpoints, &Due::writes, &Due::blobs, &Due::bytes}) {
    sum.*member += due.*member;
  }
}

std::vector<Due> Totals::list() const {
  std::vector<Due> all;
  for (const auto& [key, due] : sums_) all.push_back(due);
  return all;
}

}  // namespace threadkeep::retention
