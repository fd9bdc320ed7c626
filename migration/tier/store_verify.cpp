// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "migration/tier/carried_notes.hpp"
#include "migration/tier/store_contents.hpp"
#include "migration/tier/store_copy.hpp"
#include "migration/tier/store_documents.hpp"
#include "migration/tier/store_report.hpp"
#include "migration/tier/thread_difference.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::migration {

namespace {

class Verifier {
 public:
  Verifier(Store& source, Store& target, const StoreCopyOptions& options, const Call& call)
      : source_(source, StoreContents::Side::source),
        target_(target, StoreContents::Side::target),
        options_(options),
        call_(call),
        reporter_(options) {}

  StoreReport run() {
    source_.each_page([&](const auto& threads) { compare_page(threads); }, call_);
    source_.each_scope([&](const std::string& scope) { compare_scope(scope, true); }, call_);
    target_.each_page([&](const auto& threads) { look_for_extra(threads); }, call_);
    target_.each_scope([&](const std::string& scope) { compare_scope(scope, false); }, call_);
    compare_policies();
    return std::move(report());
  }

 private:
  StoreReport& report() { return reporter_.report(); }

  void tell(StoreProblemKind kind, const std::string& thread_id, const std::string& text) {
    reporter_.problem({kind, thread_id, {}, Code::conflict, text});
  }

  void finish(std::uint64_t problems_before) {
    ++(report().problem_count == problems_before ? report().unchanged : report().failed);
  }

  void compare_page(const std::vector<FoundThread>& threads) {
    const auto ours = source_.notes(threads, call_);
    const auto theirs = target_.notes(threads, call_);
    for (std::size_t i = 0; i < threads.size(); ++i) {
      const auto before = report().problem_count;
      try {
        const Call call = call_of_thread(call_, options_);
        compare_thread(threads[i], call);
        compare_notes(ours[i], theirs[i]);
      } catch (const Error& error) {
        reporter_.problem(problem_of(error, threads[i].thread_id, options_));
      }
      finish(before);
      reporter_.step(threads[i].thread_id);
    }
  }

  void compare_thread(const FoundThread& found, const Call& call) {
    const std::string& id = found.thread_id;
    const auto ours = source_.thread(id, found.info, call);
    const auto info = target_.store().thread({id}, call);
    const auto theirs = target_.thread(id, info, call);
    if (ours) {
      if (found.info) ++report().seen.threads;
      add(report().seen, ours->thread.counts());
      report().bytes += ours->bytes;
    }
    if (ours && !theirs) return tell(StoreProblemKind::missing, id, "the thread");
    if (!ours && theirs) return tell(StoreProblemKind::extra, id, "the thread");
    if (!ours) return;
    each_difference(ours->thread, theirs->thread,
                    [&](StoreProblemKind kind, const std::string& what) { tell(kind, id, what); });
  }

  // The target may have more orders, and remember more deletions.
  void compare_notes(const ThreadNotes& ours, const ThreadNotes& theirs) {
    const std::string& id = ours.thread_id;
    if (ours.tombstone) ++report().seen.tombstones;
    if (target_.transfer() == nullptr) return;
    if (ours.tombstone > theirs.tombstone) tell(StoreProblemKind::missing, id, "the tombstone");
    if (ours.pinned && !theirs.pinned) tell(StoreProblemKind::missing, id, "the pin");
    for (const std::string& hold : ours.holds) {
      if (std::binary_search(theirs.holds.begin(), theirs.holds.end(), hold)) continue;
      tell(StoreProblemKind::missing, id, "the hold '" + hold + "'");
    }
    compare_time(ours, theirs);
  }

  void compare_time(const ThreadNotes& ours, const ThreadNotes& theirs) {
    const auto wanted = ours.expires_at ? ours.expires_at : ours.deadline;
    if (!wanted) return;
    const auto there = theirs.expires_at ? theirs.expires_at : theirs.deadline;
    if (!there) return tell(StoreProblemKind::missing, ours.thread_id, "the time of expiry");
    // A deadline moves when its thread is used.
    const bool moves = !ours.expires_at;
    if (*there == *wanted || (moves && *there >= *wanted)) return;
    tell(StoreProblemKind::different, ours.thread_id, "the time of expiry");
  }

  void look_for_extra(const std::vector<FoundThread>& threads) {
    for (const FoundThread& found : threads) {
      const Call call = call_of_thread(call_, options_);
      if (found.info) {
        if (lists(source_, found, call) || has_writes(source_, found, call)) {
          continue;
        }
      } else if (!has_writes(target_, found, call) || has_writes(source_, found, call) ||
                 lists(source_, found, call)) {
        continue;
      }
      // With a tombstone the source was asked for it already.
      if (is_known(found)) continue;
      tell(StoreProblemKind::extra, found.thread_id, "the thread");
      ++report().failed;
    }
  }

  bool is_known(const FoundThread& found) const {
    const auto notes = source_.notes({found}, call_).front();
    return notes.tombstone.has_value() || notes.has_orders();
  }

  static bool has_writes(const StoreContents& contents, const FoundThread& found,
                         const Call& call) {
    return contents.read([&] {
      return !contents.store().loose_writes({found.thread_id, {}, 1}, call).empty();
    });
  }

  static bool lists(const StoreContents& contents, const FoundThread& found, const Call& call) {
    return contents.read(
        [&] { return contents.store().thread({found.thread_id}, call).has_value(); });
  }

  // All scopes of the source are compared; of the target's those that the source lacks.
  void compare_scope(const std::string& scope, bool of_source) {
    const Call call = call_of_thread(call_, options_);
    if (!target_.store().capabilities().sessions || !source_.store().capabilities().sessions) {
      return reporter_.not_carried("named scopes: one of the stores keeps no state");
    }
    const StateList first{StateScope::named(scope), 1, 1, {}};
    const auto in_source = [&] { return !source_.store().states(first, call).items.empty(); };
    if (!of_source && source_.read(in_source)) return;
    const auto before = report().problem_count;
    const auto problem = [&](StoreProblemKind kind, const std::string& key) {
      reporter_.problem({kind, {}, scope, Code::conflict, "document '" + key + "'"});
    };
    const auto use = [&](const StateDocument* ours, const StateDocument* theirs) {
      if (ours != nullptr) ++report().seen.scopes;
      if (ours == nullptr) return problem(StoreProblemKind::extra, theirs->key);
      if (theirs == nullptr) return problem(StoreProblemKind::missing, ours->key);
      if (json_equal(ours->value, theirs->value)) return;
      problem(StoreProblemKind::different, ours->key);
    };
    each_document(source_, target_, StateScope::named(scope), use, call);
    finish(before);
    reporter_.step({});
  }

  void compare_policies() {
    const StoredPolicies ours = source_.read([&] { return read_policies(source_.store(), call_); });
    report().seen.policies = count_policies(ours);
    if (ours == StoredPolicies{} || target_.transfer() == nullptr) return;
    if (ours == read_policies(target_.store(), call_)) return;
    tell(StoreProblemKind::different, {}, "the policies of retention");
  }

  const StoreContents source_;
  const StoreContents target_;
  const StoreCopyOptions& options_;
  const Call& call_;
  StoreReporter reporter_;
};

}  // namespace

StoreReport verify_store(Store& source, Store& target, const StoreCopyOptions& options,
                         const Call& call) {
  return Verifier(source, target, options, call).run();
}

}  // namespace threadkeep::migration
