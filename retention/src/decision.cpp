// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/retention/decision.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace threadkeep::retention {

namespace {

using Time = std::optional<std::int64_t>;
using Ids = std::set<std::string>;

bool older(const Time& time, std::chrono::seconds limit, std::int64_t now) {
  return limit.count() != 0 && time && now - *time > std::chrono::microseconds(limit).count();
}

const CheckpointFacts& newest(const NamespaceFacts& space) {
  return *std::ranges::max_element(space.checkpoints, {},
                                   [](const auto& facts) { return facts.node.checkpoint_id; });
}

const CheckpointFacts& first(const NamespaceFacts& space) {
  return *std::ranges::min_element(space.checkpoints, {},
                                   [](const auto& facts) { return facts.node.checkpoint_id; });
}

const Policy* find_policy(std::span<const Policy> policies, const ThreadFacts& thread) {
  for (const Policy& policy : policies) {
    if (matches_pattern(policy.threads, thread.thread_id) &&
        MetadataFilter(policy.metadata).matches(thread.metadata)) {
      return &policy;
    }
  }
  return nullptr;
}

std::optional<Reason> judge_thread(const Policy* policy, const ThreadFacts& thread,
                                   std::int64_t now) {
  if (thread.expires_at) {
    return now >= *thread.expires_at ? std::optional(Reason::expired) : std::nullopt;
  }
  if (policy == nullptr) return {};
  const bool fixed = policy->expiry == Expiry::fixed;
  const Time since = fixed ? beginning(thread) : last_activity(thread);
  return older(since, policy->idle, now) ? std::optional(Reason::idle) : std::nullopt;
}

/// The checkpoints of one namespace: which a policy would take, and which of these must stay.
class Thinning {
 public:
  Thinning(const NamespaceFacts& space, const Policy& policy, std::int64_t now)
      : space_(space), dependencies_(nodes(space)) {
    for (const CheckpointFacts& facts : space.checkpoints) {
      facts_.emplace(facts.node.checkpoint_id, &facts);
    }
    mark(policy, now);
    spare_interrupted();
    while (spare_needed()) {
    }
  }

  void report(std::vector<Removal>& removals) const {
    for (const auto& [id, reason] : doomed_) {
      removals.push_back({space_.checkpoint_ns, id, reason});
    }
  }

 private:
  static std::vector<CheckpointNode> nodes(const NamespaceFacts& space) {
    std::vector<CheckpointNode> nodes;
    for (const CheckpointFacts& facts : space.checkpoints) nodes.push_back(facts.node);
    return nodes;
  }

  void mark(const Policy& policy, std::int64_t now) {
    std::size_t rank = 0;
    for (auto at = facts_.rbegin(); at != facts_.rend(); ++at, ++rank) {
      if (rank == 0) continue;
      if (older(at->second->time, policy.age, now)) {
        doomed_.emplace(at->first, Reason::age);
      } else if (policy.keep_last != 0 && rank >= policy.keep_last) {
        doomed_.emplace(at->first, Reason::keep_last);
      }
    }
  }

  void spare_interrupted() {
    Ids parents;
    for (const auto& [id, facts] : facts_) {
      if (facts->node.parent_checkpoint_id) parents.insert(*facts->node.parent_checkpoint_id);
    }
    for (const auto& [id, facts] : facts_) {
      if (facts->interrupted && !parents.contains(id)) doomed_.erase(id);
    }
  }

  // True when that spares some, which may need others in their turn.
  bool spare_needed() {
    Ids needed;
    std::map<std::string, int> children;
    for (const auto& [id, facts] : facts_) {
      if (doomed_.contains(id)) continue;
      needed.merge(dependencies_.needed_by(id));
      const auto& parent = facts->node.parent_checkpoint_id;
      if (parent && (++children[*parent] == 2 || facts->needs_parent)) needed.insert(*parent);
    }
    return std::ranges::count_if(needed, [&](const auto& id) { return doomed_.erase(id) != 0; }) !=
           0;
  }

  const NamespaceFacts& space_;
  const DeltaDependencies dependencies_;
  std::map<std::string, const CheckpointFacts*> facts_;  // by id
  std::map<std::string, Reason> doomed_;
};

}  // namespace

std::string_view to_string(Reason reason) noexcept {
  switch (reason) {
    case Reason::idle:
      return "idle";
    case Reason::expired:
      return "expired";
    case Reason::age:
      return "age";
    case Reason::keep_last:
      return "keep_last";
  }
  return "";
}

std::optional<std::int64_t> last_activity(const ThreadFacts& thread) {
  Time last = thread.updated_at;
  for (const NamespaceFacts& space : thread.namespaces) {
    const Time time = newest(space).time;
    if (!time && !thread.updated_at) return {};
    last = std::max(last, time);
  }
  return last;
}

std::optional<std::int64_t> beginning(const ThreadFacts& thread) {
  if (thread.created_at) return thread.created_at;
  Time begun;
  for (const NamespaceFacts& space : thread.namespaces) {
    const Time time = first(space).time;
    if (time && (!begun || *time < *begun)) begun = time;
  }
  return begun;
}

Decision decide(std::span<const Policy> policies, const ThreadFacts& thread, std::int64_t now) {
  const Policy* policy = find_policy(policies, thread);
  Decision decision;
  if (policy != nullptr) decision.policy = policy->name;
  if (thread.pinned || thread.held) return decision;
  decision.thread = judge_thread(policy, thread, now);
  if (decision.thread || policy == nullptr) return decision;
  for (const NamespaceFacts& space : thread.namespaces) {
    Thinning(space, *policy, now).report(decision.removals);
  }
  return decision;
}

}  // namespace threadkeep::retention
