// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/store_copy.hpp"

#include <algorithm>
#include <utility>

#include "archive/comparison.hpp"
#include "archive/thread_importer.hpp"
#include "migration/tier/carried_notes.hpp"
#include "migration/tier/scope_copy.hpp"
#include "migration/tier/store_contents.hpp"
#include "migration/tier/store_report.hpp"

namespace threadkeep::migration {

namespace {

constexpr std::size_t changes_at_once = 200;

// A part that the target had and has deleted, while the source knows nothing of this deletion.
bool is_deleted(const ThreadNotes& source, const ThreadNotes& target,
                const ops::ArchivedThread& thread, const ops::Comparison& found) {
  if (!target.tombstone || source.tombstone >= target.tombstone) return false;
  for (std::size_t i = 0; i < thread.checkpoints().size(); ++i) {
    if (found.has_checkpoint[i]) continue;
    if (thread.checkpoints()[i].key.second <= *target.tombstone) return true;
  }
  return false;
}

class Copier {
 public:
  Copier(Store& source, Store& target, const StoreCopyOptions& options, const Call& call)
      : source_(source, StoreContents::Side::source),
        target_(target, StoreContents::Side::target),
        options_(options),
        call_(call),
        reporter_(options),
        notes_(source_, target_, reporter_, options.dry_run),
        import_options_{.dry_run = options.dry_run,
                        .problem = [this](const ops::ImportProblem& problem) { fail(problem); },
                        .step = {}},
        importer_(target, import_options_) {}

  StoreReport run() {
    note_limits();
    source_.each_page([&](const auto& threads) { copy_page(threads); }, call_);
    flush(call_of_thread(call_, options_));
    source_.each_scope([&](const std::string& scope) { copy_scope(scope); }, call_);
    notes_.carry_policies(call_);
    StoreReport& report = reporter_.report();
    report.copied += importer_.report().restored;
    report.unchanged += importer_.report().unchanged;
    report.stored = stored();
    return std::move(report);
  }

 private:
  StoreReport& report() { return reporter_.report(); }

  void note_limits() {
    reporter_.not_carried(
        "revisions of threads, numbers (seq), times and versions of messages, versions of state "
        "and the names of operations that were done: the target counts its own");
    if (source_.transfer() != nullptr) return;
    reporter_.not_carried(
        "named scopes, tombstones, pins, holds, times and threads that only have writes without a "
        "checkpoint: the source cannot list them");
  }

  void copy_page(const std::vector<FoundThread>& threads) {
    const auto ours = source_.notes(threads, call_);
    const auto theirs = target_.notes(threads, call_);
    for (std::size_t i = 0; i < threads.size(); ++i) {
      const Call call = call_of_thread(call_, options_);
      try {
        copy_thread(threads[i], ours[i], theirs[i], call);
        if (importer_.flushed() || notes_.pending() >= changes_at_once) flush(call);
      } catch (const Error& error) {
        fail(problem_of(error, threads[i].thread_id, options_));
      }
      report().stored = stored();
      reporter_.step(threads[i].thread_id);
    }
  }

  void copy_thread(const FoundThread& found, const ThreadNotes& ours, const ThreadNotes& theirs,
                   const Call& call) {
    const auto read = source_.thread(found.thread_id, found.info, call);
    if (ours.tombstone) ++report().seen.tombstones;
    report().seen.orders += count_orders(ours);
    ThreadNotesChange change;
    change.thread_id = found.thread_id;
    if (read) {
      if (found.info) ++report().seen.threads;
      add(report().seen, read->thread.counts());
      report().bytes += read->bytes;
      if (!copy_parts(*read, ours, theirs, change, call)) return;
    } else {
      report_deleted(found.thread_id, ours, call);
      carry_orders(ours, theirs, call);
    }
    if (ours.tombstone > theirs.tombstone) change.tombstone = ours.tombstone;
    if (ours.deadline && target_.transfer() != nullptr && target_.transfer()->has_deadlines() &&
        theirs.deadline.value_or(0) < *ours.deadline) {
      change.deadline = ours.deadline;
    }
    notes_.add_change(change);
  }

  // False when the target has other content, so that nothing else of the thread is to follow.
  bool copy_parts(const ReadThread& read, const ThreadNotes& ours, const ThreadNotes& theirs,
                  ThreadNotesChange& change, const Call& call) {
    const ops::ArchivedThread& thread = read.thread;
    ops::Comparison found = ops::compare(target_.store(), thread, call);
    if (!found.conflict && is_deleted(ours, theirs, thread, found)) {
      fail({StoreProblemKind::deleted,
            thread.thread_id(),
            {},
            Code::conflict,
            "the target has deleted checkpoints up to '" + *theirs.tombstone +
                "' that the source has; they stay deleted. Copy into an empty store to have them, "
                "or "
                "delete them in the source"});
      return false;
    }
    if (found.conflict) {
      importer_.add(thread, found, call);
      return false;
    }
    if (!carry_orders(ours, theirs, call)) return false;
    if (thread.info()) {
      if (!found.info) ++new_threads_;
      set_times(thread, found, change);
    }
    importer_.add(thread, found, call);
    return true;
  }

  // A thread that went on in the target keeps the times that it has there. Whatever is stored now
  // touches updated_at, also where it is equal yet.
  static void set_times(const ops::ArchivedThread& thread, const ops::Comparison& found,
                        ThreadNotesChange& change) {
    if (found.has_more) return;
    const ThreadInfo& info = *thread.info();
    const ThreadInfo theirs = found.info.value_or(ThreadInfo{});
    const bool is_new = !found.info.has_value();
    if (info.created_at != 0 && (is_new || info.created_at != theirs.created_at)) {
      change.created_at = info.created_at;
    }
    if (info.updated_at != 0 && (!found.complete(thread) || info.updated_at != theirs.updated_at)) {
      change.updated_at = info.updated_at;
    }
  }

  // What the source has deleted since an earlier run is not deleted here.
  void report_deleted(const std::string& thread_id, const ThreadNotes& ours, const Call& call) {
    if (!ours.tombstone || !target_.store().thread({thread_id}, call)) return;
    fail(
        {StoreProblemKind::deleted,
         thread_id,
         {},
         Code::conflict,
         "the source has deleted the thread, and the target has it; a copy deletes nothing: delete "
         "it there with 'threadkeep threads delete'"});
  }

  bool carry_orders(const ThreadNotes& ours, const ThreadNotes& theirs, const Call& call) {
    if (notes_.carry_orders(ours, theirs, call)) return true;
    fail({StoreProblemKind::conflict,
          ours.thread_id,
          {},
          Code::conflict,
          "the thread has another time of its own in the target, which stays"});
    return false;
  }

  static std::uint64_t count_orders(const ThreadNotes& notes) {
    return (notes.pinned ? 1U : 0U) + notes.holds.size() +
           (notes.expires_at || notes.deadline ? 1U : 0U);
  }

  void flush(const Call& call) {
    importer_.flush(call);
    notes_.flush(call);
  }

  void copy_scope(const std::string& scope) {
    const Call call = call_of_thread(call_, options_);
    if (!target_.store().capabilities().sessions) {
      return reporter_.not_carried("named scopes: " + target_.store().capabilities().name +
                                   " stores keep no state");
    }
    ScopeCopy copy(source_, target_, scope, reporter_);
    copy.run(options_.dry_run, call);
    report().seen.scopes += copy.seen();
    report().bytes += copy.bytes();
    scope_documents_ += copy.stored();
    if (copy.has_failed()) {
      ++report().failed;
    } else {
      ++(copy.stored() > 0 ? report().copied : report().unchanged);
    }
    report().stored = stored();
    reporter_.step({});
  }

  StoreCounts stored() {
    StoreCounts counts{.threads = new_threads_};
    add(counts, importer_.report().stored);
    counts.scopes = scope_documents_;
    const StoreCounts& now = report().stored;
    counts.tombstones = now.tombstones;
    counts.orders = now.orders;
    counts.policies = now.policies;
    return counts;
  }

  void fail(const ops::ImportProblem& problem) {
    const auto kind =
        problem.code == Code::conflict ? StoreProblemKind::conflict : StoreProblemKind::refused;
    fail({kind, problem.thread_id, {}, problem.code, problem.message});
  }
  void fail(StoreProblem problem) {
    ++report().failed;
    reporter_.problem(std::move(problem));
  }

  const StoreContents source_;
  const StoreContents target_;
  const StoreCopyOptions& options_;
  const Call& call_;
  StoreReporter reporter_;
  CarriedNotes notes_;
  const ops::ImportOptions import_options_;
  ops::ThreadImporter importer_;
  std::uint64_t new_threads_ = 0;
  std::uint64_t scope_documents_ = 0;
};

}  // namespace

StoreCounts count_store(Store& store, const Call& call) {
  StoreCounts counts;
  const StoreStats stats = store.stats({.largest = 0, .exact = true}, call);
  for (const EntityStats& entity : stats.entities) {
    if (entity.name == "threads") counts.threads = entity.rows;
    if (entity.name == "checkpoints") counts.checkpoints = entity.rows;
    if (entity.name == "blobs") counts.blobs = entity.rows;
    if (entity.name == "writes") counts.writes = entity.rows;
    if (entity.name == "messages") counts.messages = entity.rows;
    if (entity.name == "states") counts.states = entity.rows;
    if (entity.name == "named_states") counts.scopes = entity.rows;
  }
  return counts;
}

StoreReport copy_store(Store& source, Store& target, const StoreCopyOptions& options,
                       const Call& call) {
  return Copier(source, target, options, call).run();
}

}  // namespace threadkeep::migration
