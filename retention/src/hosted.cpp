// SPDX-License-Identifier: Apache-2.0
#include "hosted.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>

#include "facts.hpp"
#include "requests.hpp"
#include "rules.hpp"
#include "sweeper.hpp"
#include "threadkeep/error.hpp"
#include "verdict.hpp"

namespace threadkeep::retention {

namespace {

// Counts changes of what a store keeps for retention.
constexpr int notes_version = 2;

// Threads that one snapshot looks at: a long one would keep the log of a file from being merged.
constexpr std::size_t threads_of_snapshot = 500;

// Adds what is due of the next threads; the last of these, or "" at the end.
std::string count_due(Transaction& transaction, std::span<const Policy> policies,
                      const std::string& after, Totals& totals) {
  const auto threads = transaction.threads_after(after, threads_of_snapshot);
  for (const std::string& id : threads) {
    for (const Due& due : judge(policies, id, transaction).due) {
      totals.add(due);
    }
  }
  return threads.empty() ? "" : threads.back();
}

// Calls `change` once more where others have changed the rules meanwhile.
void change_rules(Transaction& transaction, const std::function<void(Rules&)>& change) {
  for (;;) {
    const std::string seen = transaction.policies();
    Rules rules = rules_from_text(seen);
    change(rules);
    if (transaction.set_policies(seen, to_text(rules), rules.archive_required)) return;
  }
}

void check_version(int version) {
  if (version == notes_version) return;
  throw Error(Code::unsupported,
              "retention is not installed here, or by another version; install it first "
              "(threadkeep retention install)");
}

// Ends the first part of a refresh, which nearly all reads do not leave.
bool may_be_stale(const std::vector<Policy>& policies, std::optional<std::int64_t> updated_at,
                  std::int64_t now) {
  return updated_at && std::ranges::any_of(policies, [&](const Policy& policy) {
           const auto idle = std::chrono::microseconds(policy.idle).count();
           return idle != 0 && now - *updated_at > idle;
         });
}

bool is_stale(Transaction& transaction, const std::vector<Policy>& policies,
              const std::string& thread_id) {
  const ThreadGlance glance = transaction.glance(thread_id);
  return glance.edges.info &&
         decide(policies, facts_of(glance.edges), transaction.now()).thread == Reason::idle;
}

}  // namespace

void check_installed(Transaction& transaction) {
  check_version(transaction.version());
}

std::int64_t kept_since(std::chrono::seconds keep, std::int64_t now) {
  if (keep.count() == 0) return 0;
  return now - std::chrono::microseconds(keep).count();
}

std::string user_name() {
  std::array<char, 4096> buffer;
  passwd entry{};
  passwd* found = nullptr;
  const auto uid = geteuid();
  getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->pw_name : std::to_string(uid);
}

void note(Transaction& transaction, AuditEntry entry) {
  entry.at = transaction.now();
  entry.who = user_name();
  transaction.add_audit(entry);
}

void HostedRetention::read(const Host::Work& work, const Call& call) {
  host_.read(
      [&](Transaction& transaction) {
        check_installed(transaction);
        work(transaction);
      },
      call);
}

void HostedRetention::write(const Host::Work& work, const Call& call) {
  host_.write(
      [&](Transaction& transaction) {
        check_installed(transaction);
        work(transaction);
      },
      call);
}

void HostedRetention::install(const Call& call) {
  host_.write(
      [](Transaction& transaction) {
        if (transaction.version() > notes_version) {
          throw Error(Code::unsupported,
                      "a newer threadkeep has installed its retention here; install with that "
                      "version or a newer one");
        }
        transaction.install(notes_version);
      },
      call);
}

void HostedRetention::apply(std::span<const Policy> policies, const Call& call) {
  AuditEntry entry;
  entry.action = "apply";
  entry.policy = to_json(policies);
  write(
      [&](Transaction& transaction) {
        change_rules(transaction, [&](Rules& rules) {
          rules.policies.assign(policies.begin(), policies.end());
        });
        note(transaction, entry);
      },
      call);
}

Rules HostedRetention::rules(const Call& call) {
  std::string text;
  read([&](Transaction& transaction) { text = transaction.policies(); }, call);
  return rules_from_text(text);
}

std::vector<Policy> HostedRetention::policies(const Call& call) {
  return rules(call).policies;
}

bool HostedRetention::archive_required(const Call& call) {
  return rules(call).archive_required;
}

void HostedRetention::require_archive(bool required, const Call& call) {
  write(
      [&](Transaction& transaction) {
        // Also where it is so already: who said it may have died before all of the store knew.
        bool changed = false;
        change_rules(transaction, [&](Rules& rules) {
          changed = changed || rules.archive_required != required;
          rules.archive_required = required;
        });
        if (!changed) return;
        AuditEntry entry;
        entry.action = required ? "archive required" : "archive optional";
        note(transaction, entry);
      },
      call);
}

void HostedRetention::keep(const KeepTimes& times, const Call& call) {
  AuditEntry entry;
  entry.action = "keep";
  entry.reason =
      "tombstones " + format_duration(times.tombstones) + ", audit " + format_duration(times.audit);
  write(
      [&](Transaction& transaction) {
        bool changed = false;
        change_rules(transaction, [&](Rules& rules) {
          changed = changed || rules.keep != times;
          rules.keep = times;
        });
        if (changed) note(transaction, entry);
      },
      call);
}

KeepTimes HostedRetention::keep_times(const Call& call) {
  return rules(call).keep;
}

Leftovers HostedRetention::leftovers(const KeepTimes& times, const Call& call) {
  Leftovers found;
  read(
      [&](Transaction& transaction) {
        const std::int64_t now = transaction.now();
        found.tombstones = transaction.count_tombstones(kept_since(times.tombstones, now));
        found.notes = transaction.count_notes(kept_since(times.audit, now));
      },
      call);
  return found;
}

std::vector<Due> HostedRetention::preview(const Call& call) {
  return preview(policies(call), call);
}

std::vector<Due> HostedRetention::preview(std::span<const Policy> policies, const Call& call) {
  Totals totals;
  std::string after;
  do {
    read([&](Transaction& transaction) { after = count_due(transaction, policies, after, totals); },
         call);
  } while (!after.empty());
  return totals.list();
}

SweepResult HostedRetention::sweep(const SweepOptions& options, const Call& call) {
  check(options);
  return Sweeper(host_, options, call).run();
}

std::uint64_t HostedRetention::refresh(std::span<const std::string> thread_ids, const Call& call) {
  const std::vector<std::string> ids(thread_ids.begin(), thread_ids.end());
  std::vector<std::string> stale;
  host_.read(
      [&](Transaction& transaction) {
        const Activity found = transaction.activity(ids);
        check_version(found.version);
        const auto policies = halved(rules_from_text(found.policies).policies);
        for (std::size_t i = 0; i < ids.size(); ++i) {
          if (!may_be_stale(policies, found.updated_at[i], transaction.now())) continue;
          if (is_stale(transaction, policies, ids[i])) stale.push_back(ids[i]);
        }
      },
      call);
  if (stale.empty()) return 0;
  host_.write(
      [&](Transaction& transaction) {
        for (const std::string& id : stale) transaction.renew(id);
      },
      call);
  return stale.size();
}

std::vector<Run> HostedRetention::runs(std::size_t limit, const Call& call) {
  std::vector<Run> all;
  read(
      [&](Transaction& transaction) {
        for (const RunRecord& run : transaction.runs(limit)) all.push_back(run);
      },
      call);
  return all;
}

Page<AuditEntry> HostedRetention::audit(const std::string& cursor, std::size_t limit,
                                        const Call& call) {
  return audit_page(cursor, limit, [&](const std::string& before, std::size_t wanted) {
    std::vector<AuditEntry> entries;
    const std::int64_t below = before.empty() ? 0 : std::stoll(before);
    read([&](Transaction& transaction) { entries = transaction.audit(below, wanted); }, call);
    return entries;
  });
}

bool HostedRetention::mark(const std::string& thread_id, const std::string& kind,
                           const std::string& name, bool set, const Call& call) {
  AuditEntry entry;
  entry.action = set ? kind : kind == "pin" ? "unpin" : "release";
  entry.reason = name;
  entry.thread_id = thread_id;
  bool changed = false;
  write(
      [&](Transaction& transaction) {
        changed = transaction.mark(thread_id, kind, name, set);
        if (changed) note(transaction, entry);
      },
      call);
  return changed;
}

bool HostedRetention::pin(const std::string& thread_id, const Call& call) {
  return mark(thread_id, "pin", "", true, call);
}

bool HostedRetention::unpin(const std::string& thread_id, const Call& call) {
  return mark(thread_id, "pin", "", false, call);
}

bool HostedRetention::hold(const std::string& thread_id, const std::string& name,
                           const Call& call) {
  if (name.empty()) throw Error(Code::invalid_argument, "name of the hold is empty; name the case");
  return mark(thread_id, "hold", name, true, call);
}

bool HostedRetention::release(const std::string& thread_id, const std::string& name,
                              const Call& call) {
  return mark(thread_id, "hold", name, false, call);
}

void HostedRetention::expire(const std::string& thread_id, std::optional<std::int64_t> at,
                             const Call& call) {
  AuditEntry entry;
  entry.action = at ? "expire" : "never expire";
  entry.thread_id = thread_id;
  write(
      [&](Transaction& transaction) {
        transaction.expire(thread_id, at);
        note(transaction, entry);
      },
      call);
}

}  // namespace threadkeep::retention
