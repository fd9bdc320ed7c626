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
    const auto count = std::min(limit, notes_.runs.size());
    return {notes_.runs.rbegin(), notes_.runs.rbegin() + static_cast<std::ptrdiff_t>(count)};
  }

  std::int64_t add_run(const RunRecord& run, std::int64_t) override {
    notes_.runs.push_back(run);
    notes_.runs.back().run = static_cast<std::int64_t>(notes_.runs.size());
    return notes_.runs.back().run;
  }

  bool change_run(const RunRecord& run) override {
    notes_.runs.at(static_cast<std::size_t>(run.run - 1)) = run;
    return true;
  }

  std::vector<AuditEntry> audit(std::int64_t before, std::size_t limit) override {
    std::vector<AuditEntry> entries;
    for (auto at = notes_.audit.rbegin(); at != notes_.audit.rend(); ++at) {
      if (entries.size() == limit) break;
      if (before == 0 || at->id < before) entries.push_back(*at);
    }
    return entries;
  }

  void add_audit(const AuditEntry& entry) override {
    notes_.audit.push_back(entry);
    notes_.audit.back().id = static_cast<std::int64_t>(notes_.audit.size());
  }

 private:
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
