// SPDX-License-Identifier: Apache-2.0
#include "memory/retention.hpp"

#include <algorithm>
#include <mutex>

namespace threadkeep::memory {

namespace {

using namespace retention;

class RetentionTransaction final : public Transaction {
 public:
  RetentionTransaction(Tables& tables, RetentionNotes& notes) : tables_(tables), notes_(notes) {}

  std::int64_t now() const override { return tables_.now(); }
  int version() override { return notes_.version; }
  void install(int version) override { notes_.version = version; }

  std::vector<std::string> threads_after(const std::string& after, std::size_t limit) override {
    return tables_.threads_after(after, limit);
  }

  ThreadGlance glance(const std::string& thread_id) override {
    ThreadGlance glance = tables_.glance(thread_id);
    add_orders(thread_id, glance.edges);
    return glance;
  }
  ThreadRows load(const std::string& thread_id) override {
    ThreadRows thread = tables_.rows_of(thread_id);
    add_orders(thread_id, thread);
    return thread;
  }

  Activity activity(const std::vector<std::string>& thread_ids) override {
    Activity found{notes_.version, notes_.policies, {}};
    for (const std::string& id : thread_ids) {
      const auto info = tables_.glance(id).edges.info;
      found.updated_at.push_back(info ? std::optional(info->updated_at) : std::nullopt);
    }
    return found;
  }
  void renew(const std::string& thread_id) override { tables_.renew(thread_id); }

  bool erase_thread(const ThreadRows& judged) override {
    tables_.apply(DeleteThread{judged.info->thread_id});
    notes_.expiry.erase(judged.info->thread_id);
    return true;
  }

  bool erase_checkpoints(const ThreadRows& judged, const CheckpointsByNamespace& gone) override {
    for (const auto& [checkpoint_ns, ids] : gone) {
      tables_.erase_checkpoints(judged.info->thread_id, checkpoint_ns, ids);
    }
    return true;
  }

  std::string policies() override { return notes_.policies; }
  bool set_policies(const std::string&, const std::string& policies, bool) override {
    notes_.policies = policies;
    return true;
  }

  bool mark(const std::string& thread_id, const std::string& kind, const std::string& name,
            bool set) override {
    const RetentionNotes::Mark mark{thread_id, kind, name};
    return set ? notes_.marks.insert(mark).second : notes_.marks.erase(mark) == 1;
  }

  void expire(const std::string& thread_id, std::optional<std::int64_t> at) override {
    if (at) {
      notes_.expiry[thread_id] = *at;
    } else {
      notes_.expiry.erase(thread_id);
    }
  }

  std::vector<RunRecord> runs(std::size_t limit) override {
    std::vector<RunRecord> runs;
    for (auto at = notes_.runs.rbegin(); at != notes_.runs.rend(); ++at) {
      if (runs.size() == limit) break;
      runs.push_back(at->second);
    }
    return runs;
  }

  std::int64_t add_run(const RunRecord& run, std::int64_t) override {
    RunRecord& added = notes_.runs[++notes_.last_run] = run;
    return added.run = notes_.last_run;
  }

  bool change_run(const RunRecord& run) override {
    notes_.runs.at(run.run) = run;
    return true;
  }

  std::vector<AuditEntry> audit(std::int64_t before, std::size_t limit) override {
    std::vector<AuditEntry> entries;
    for (auto at = notes_.audit.rbegin(); at != notes_.audit.rend(); ++at) {
      if (entries.size() == limit) break;
      if (before == 0 || at->first < before) entries.push_back(at->second);
    }
    return entries;
  }

  void add_audit(const AuditEntry& entry) override {
    AuditEntry& added = notes_.audit[++notes_.last_entry] = entry;
    added.id = notes_.last_entry;
  }

  std::uint64_t count_tombstones(std::int64_t before) override {
    return tables_.count_tombstones(before);
  }
  std::uint64_t purge_tombstones(std::int64_t before, std::size_t limit) override {
    return tables_.purge_tombstones(before, limit);
  }
  std::uint64_t count_notes(std::int64_t before) override {
    return static_cast<std::uint64_t>(
        std::distance(notes_.audit.begin(), first_entry_that_stays(before)) +
        std::distance(notes_.runs.begin(), first_run_that_stays(before)));
  }
  // All of them: this takes no time.
  std::uint64_t purge_notes(std::int64_t before, std::size_t) override {
    const std::uint64_t count = count_notes(before);
    notes_.audit.erase(notes_.audit.begin(), first_entry_that_stays(before));
    notes_.runs.erase(notes_.runs.begin(), first_run_that_stays(before));
    return count;
  }

 private:
  std::map<std::int64_t, AuditEntry>::iterator first_entry_that_stays(std::int64_t before) {
    return std::ranges::find_if(notes_.audit,
                                [&](const auto& entry) { return entry.second.at >= before; });
  }
  std::map<std::int64_t, RunRecord>::iterator first_run_that_stays(std::int64_t before) {
    return std::ranges::find_if(notes_.runs, [&](const auto& entry) {
      const RunRecord& run = entry.second;
      return !run.finished_at || *run.finished_at >= before;
    });
  }
  void add_orders(const std::string& thread_id, ThreadRows& thread) const {
    const auto& marks = notes_.marks;
    for (auto at = marks.lower_bound({thread_id, "", ""});
         at != marks.end() && std::get<0>(*at) == thread_id; ++at) {
      (std::get<1>(*at) == "pin" ? thread.pinned : thread.held) = true;
    }
    const auto expiry = notes_.expiry.find(thread_id);
    if (expiry != notes_.expiry.end()) thread.expires_at = expiry->second;
  }

  Tables& tables_;
  RetentionNotes& notes_;
};

CheckpointRow row_of(const std::string& checkpoint_ns, const std::string& id,
                     const auto& checkpoint) {
  return {checkpoint_ns, id, checkpoint.parent_checkpoint_id, checkpoint.document,
          checkpoint.metadata};
}

std::string special(const PendingWrite& write) {
  return write.idx < 0 ? write.type + '\0' + std::string(write.data.view()) : "";
}

}  // namespace

std::vector<std::string> Tables::threads_after(const std::string& after, std::size_t limit) const {
  std::vector<std::string> ids;
  for (auto at = threads_.upper_bound(after); at != threads_.end() && ids.size() < limit; ++at) {
    if (at->second.info) ids.push_back(at->first);
  }
  return ids;
}

retention::ThreadGlance Tables::glance(const std::string& thread_id) const {
  ThreadGlance glance;
  const Thread* thread = find_thread(thread_id);
  if (!thread || !thread->info) return glance;
  glance.edges.info = thread->info;
  for (const auto& [name, ns] : thread->namespaces) {
    const auto& all = ns.checkpoints;
    glance.longest = std::max(glance.longest, all.size());
    if (all.empty()) continue;
    glance.edges.checkpoints.push_back(row_of(name, all.begin()->first, all.begin()->second));
    if (all.size() == 1) continue;
    glance.edges.checkpoints.push_back(row_of(name, all.rbegin()->first, all.rbegin()->second));
  }
  return glance;
}

retention::ThreadRows Tables::rows_of(const std::string& thread_id) const {
  retention::ThreadRows rows;
  const Thread* thread = find_thread(thread_id);
  if (!thread || !thread->info) return rows;
  rows.info = thread->info;
  for (const auto& [name, ns] : thread->namespaces) {
    for (const auto& [id, checkpoint] : ns.checkpoints) {
      rows.checkpoints.push_back(row_of(name, id, checkpoint));
    }
    for (const auto& [id, writes] : ns.writes) {
      for (const auto& [key, write] : writes) {
        rows.writes.push_back({name, id, write.channel, write.data.size(), special(write)});
      }
    }
    for (const auto& [key, blob] : ns.blobs) {
      rows.blobs.push_back(
          {name, key.first, key.second, blob.data.size(), blob.type != empty_type});
    }
  }
  return rows;
}

void Tables::erase_checkpoints(const std::string& thread_id, const std::string& checkpoint_ns,
                               const std::vector<std::string>& ids) {
  Thread& thread = threads_.at(thread_id);
  Namespace& ns = thread.namespaces.at(checkpoint_ns);
  erase(thread, ns, std::set(ids.begin(), ids.end()));
  collect_blobs(ns);
}

void Tables::renew(const std::string& thread_id) {
  const auto found = threads_.find(thread_id);
  if (found != threads_.end() && found->second.info) found->second.info->updated_at = now();
}

std::uint64_t Tables::count_tombstones(std::int64_t before) const {
  return static_cast<std::uint64_t>(std::ranges::count_if(threads_, [&](const auto& entry) {
    const Thread& thread = entry.second;
    return thread.tombstone && thread.deleted_at < before;
  }));
}

std::uint64_t Tables::purge_tombstones(std::int64_t before, std::size_t limit) {
  std::uint64_t gone = 0;
  for (auto at = threads_.begin(); at != threads_.end() && gone < limit;) {
    Thread& thread = at->second;
    const bool is_old = thread.tombstone && thread.deleted_at < before;
    if (is_old) {
      thread.tombstone.reset();
      ++gone;
    }
    at = is_old && is_absent(thread) ? threads_.erase(at) : std::next(at);
  }
  return gone;
}

void RetentionHost::read(const Work& work, const Call&) {
  const std::shared_lock lock(mutex_);
  RetentionTransaction transaction(tables_, notes_);
  work(transaction);
}

void RetentionHost::write(const Work& work, const Call& call) {
  if (call.stop.stop_requested()) throw Error(Code::cancelled, "the caller asked to stop");
  if (call.deadline.passed()) throw Error(Code::timeout, "the deadline passed");
  const std::unique_lock lock(mutex_);
  RetentionTransaction transaction(tables_, notes_);
  work(transaction);
}

}  // namespace threadkeep::memory
