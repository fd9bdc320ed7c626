// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "mutations.hpp"
#include "registry.hpp"
#include "thread_view.hpp"

namespace threadkeep::redis {

namespace {

using Ids = std::vector<std::string>;

Ids to_vector(const std::set<std::string>& ids) {
  return {ids.begin(), ids.end()};
}

// What deleting runs means for one thread.
struct Plan {
  std::string thread_id;
  ThreadView view;
  Erasure erasure;
};

using Runs = std::set<std::string>;

void check_not_needed(Writer& writer, const std::string& thread_id, const std::string& name,
                      const Ids& ids, const std::vector<Content>& contents,
                      const std::set<std::string>& victims) {
  const auto graph = dependencies(writer, thread_id, name, ids, contents);
  for (const std::string& id : ids) {
    if (victims.contains(id)) continue;
    for (const std::string& needed : graph.needed_by(id)) {
      if (!victims.contains(needed)) continue;
      throw Error(Code::conflict, "thread '" + thread_id + "': checkpoint '" + id +
                                      "' needs a checkpoint of these runs to rebuild its delta "
                                      "channels; delete its run too, or the thread");
    }
  }
}

void plan_namespace(Writer& writer, Plan& plan, const std::string& name, const NamespaceView& view,
                    const Runs& runs) {
  const Ids ids = to_vector(view.checkpoints);
  auto contents = read_contents(writer, plan.thread_id, name, ids);
  std::set<std::string> victims;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (contents[i].run_id && runs.contains(*contents[i].run_id)) victims.insert(ids[i]);
  }
  if (victims.empty()) return;
  check_not_needed(writer, plan.thread_id, name, ids, contents, victims);
  for (const std::string& id : victims) plan.erasure.add_checkpoint(name, id);
  std::erase_if(contents, [&](const Content& content) {
    return content.run_id && runs.contains(*content.run_id);
  });
  plan.erasure.add_unreferenced(name, view, contents);
}

Plan plan_thread(Writer& writer, const std::string& thread_id, const Runs& runs) {
  return until_unchanged(writer, [&] {
    Plan plan{thread_id, {}, {}};
    auto view = view_thread(writer, thread_id);
    if (!view) return plan;
    plan.view = std::move(*view);
    plan.erasure.runs = to_vector(runs);
    for (const auto& [name, names] : plan.view.namespaces) {
      plan_namespace(writer, plan, name, names, runs);
    }
    return plan;
  });
}

// Of these threads those whose index names one of the runs.
Ids threads_of_runs(Writer& writer, const Ids& threads, const Runs& runs) {
  Pipeline pipeline;
  for (const std::string& thread : threads) {
    const Keys keys(writer.settings().prefix, thread);
    for (const std::string& run : runs) pipeline.add({"ZSCORE", keys.index, "r" + run});
  }
  if (pipeline.empty()) return {};
  const auto scores = writer.read(pipeline);
  Ids found;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::string& thread = threads[i / runs.size()];
    const bool again = !found.empty() && found.back() == thread;
    if (!scores[i].is_nil() && !again) found.push_back(thread);
  }
  return found;
}

std::vector<Plan> plan_all(Writer& writer, const Runs& runs) {
  constexpr std::size_t at_once = 1000;
  std::vector<Plan> plans;
  ThreadNames names(writer.connection(), writer.settings(), writer.call(), "", at_once);
  for (auto threads = names.next(at_once); !threads.empty(); threads = names.next(at_once)) {
    for (const std::string& thread : threads_of_runs(writer, threads, runs)) {
      plans.push_back(plan_thread(writer, thread, runs));
    }
  }
  return plans;
}

// Where the thread has changed since, it is looked at again.
std::uint64_t carry_out(Writer& writer, Plan& plan, const Runs& runs) {
  return until_unchanged(writer, [&]() -> std::uint64_t {
    if (plan.erasure.empty()) return 0;
    try {
      return erase(writer, plan.thread_id, plan.view, plan.erasure);
    } catch (const Changed&) {
      plan = plan_thread(writer, plan.thread_id, runs);
      throw;
    }
  });
}

}  // namespace

// Nothing goes before all threads have been looked at, because a conflict in one spares them all.
Written delete_runs(Writer& writer, const DeleteRuns& deletion) {
  const Runs runs(deletion.run_ids.begin(), deletion.run_ids.end());
  Written written;
  for (Plan& plan : plan_all(writer, runs)) {
    try {
      written.changed += carry_out(writer, plan, runs);
    } catch (const Error& error) {
      if (written.changed == 0) throw;
      throw Error(Code::outcome_unknown,
                  "the runs are gone from some threads and not from all; " + error.message(),
                  error.native());
    }
  }
  return written;
}

}  // namespace threadkeep::redis
