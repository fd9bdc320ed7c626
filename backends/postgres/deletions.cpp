// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "checkpoint_graph.hpp"
#include "mutations.hpp"

namespace threadkeep::postgres {

namespace {

using Ids = std::set<std::string>;
using Texts = std::vector<std::string>;

// Keys of checkpoints, or of namespaces without the ids, as arrays for each column.
struct Keys {
  Texts thread_ids;
  Texts namespaces;
  Texts checkpoint_ids;

  void add(const Place& place) {
    thread_ids.push_back(place.thread_id);
    namespaces.push_back(place.checkpoint_ns);
  }
  void add(const Place& place, const std::string& checkpoint_id) {
    add(place);
    checkpoint_ids.push_back(checkpoint_id);
  }
  void add(const Place& place, const Ids& ids) {
    for (const std::string& id : ids) add(place, id);
  }
};

// Looks at all checkpoints of threads that are locked before.
void add_graphs(Pipeline& pipeline, const Writing& writing, const Texts& thread_ids,
                const Texts& run_ids) {
  pipeline.add(writing.statements.nodes_of_threads).text_array(thread_ids).text_array(run_ids);
  pipeline.add(writing.statements.delta_values).text_array(thread_ids);
}

void add_erase(Pipeline& pipeline, const Writing& writing, const Keys& keys) {
  pipeline.add(writing.statements.erase_checkpoints)
      .text_array(keys.thread_ids)
      .text_array(keys.namespaces)
      .text_array(keys.checkpoint_ids);
}

void add_collect_blobs(Pipeline& pipeline, const Writing& writing, const Keys& places) {
  pipeline.add(writing.statements.collect_blobs)
      .text_array(places.thread_ids)
      .text_array(places.namespaces);
}

std::uint64_t count(const Result& result) {
  return static_cast<std::uint64_t>(result.integer(0, 0));
}

// ---- Runs ----

Texts find_threads_of_runs(Connection& connection, const Writing& writing, const Texts& run_ids,
                           const Call& call) {
  Pipeline pipeline;
  if (!writing.statements.runs_indexed) pipeline.add(writing.statements.scan_for_runs);
  pipeline.add(writing.statements.threads_of_runs).text_array(run_ids);
  const Result found = pipeline.run(connection, Effect::none, call).back();
  Texts thread_ids;
  for (std::size_t row = 0; row < found.size(); ++row) thread_ids.push_back(found.text(row, 0));
  return thread_ids;
}

// How many threads are locked at once: each lock takes a place in a table that the whole server
// shares, some thousands of them with the usual settings.
constexpr std::size_t most_locked = 250;

std::vector<Texts> divide(const Texts& thread_ids) {
  std::vector<Texts> parts;
  for (const std::string& thread_id : thread_ids) {
    if (parts.empty() || parts.back().size() == most_locked) parts.emplace_back();
    parts.back().push_back(thread_id);
  }
  return parts;
}

std::map<Place, Graph> read(Connection& connection, const Writing& writing, const Texts& thread_ids,
                            const Texts& run_ids, const Call& call) {
  Pipeline pipeline;
  add_graphs(pipeline, writing, thread_ids, run_ids);
  const auto results = pipeline.run(connection, Effect::none, call);
  return read_graphs(results[0], results[1]);
}

std::map<Place, Graph> lock_and_read(Connection& connection, const Writing& writing,
                                     const Texts& thread_ids, const Texts& run_ids,
                                     const Call& call) {
  Locks locks(writing.schema);
  for (const std::string& thread_id : thread_ids) locks.own(thread_id);
  Pipeline pipeline;
  pipeline.add(writing.statements.begin);
  locks.take(pipeline, writing.statements);
  add_graphs(pipeline, writing, thread_ids, run_ids);
  const auto results = pipeline.run(connection, Effect::none, call);
  return read_graphs(results[2], results[3]);
}

void check_not_needed(const Place& place, const Graph& graph) {
  const DeltaDependencies dependencies(graph.nodes);
  for (const CheckpointNode& node : graph.nodes) {
    if (node.delta_channels.empty() || graph.of_runs.contains(node.checkpoint_id)) continue;
    for (const std::string& needed : dependencies.needed_by(node.checkpoint_id)) {
      if (!graph.of_runs.contains(needed)) continue;
      throw Error(Code::conflict, "thread '" + place.thread_id + "': checkpoint '" +
                                      node.checkpoint_id +
                                      "' needs a checkpoint of these runs to rebuild its delta "
                                      "channels; delete its run too, or the thread");
    }
  }
}

void check_not_needed(const std::map<Place, Graph>& graphs) {
  for (const auto& [place, graph] : graphs) {
    if (!graph.of_runs.empty()) check_not_needed(place, graph);
  }
}

std::uint64_t delete_from(Connection& connection, const Writing& writing, const Texts& thread_ids,
                          const Texts& run_ids, const Call& call) {
  const auto graphs = lock_and_read(connection, writing, thread_ids, run_ids, call);
  check_not_needed(graphs);
  Keys doomed;
  Keys places;
  for (const auto& [place, graph] : graphs) {
    if (graph.of_runs.empty()) continue;
    doomed.add(place, graph.of_runs);
    places.add(place);
  }
  Pipeline pipeline;
  add_erase(pipeline, writing, doomed);
  add_collect_blobs(pipeline, writing, places);
  pipeline.add(writing.statements.commit);
  return count(pipeline.run(connection, Effect::commit, call).front());
}

// ---- Pruning ----

// What stays of a thread and what goes.
struct Pruning {
  Keys latest;  // of each namespace
  Keys kept;
  Keys dropped;
};

void plan_pruning(const Place& place, const Graph& graph, Pruning& pruning) {
  Ids drop;
  for (const CheckpointNode& node : graph.nodes) drop.insert(node.checkpoint_id);
  const std::string latest = *drop.rbegin();
  Ids keep = DeltaDependencies(graph.nodes).needed_by(latest);
  keep.insert(latest);
  for (const std::string& id : keep) drop.erase(id);
  pruning.latest.add(place, latest);
  pruning.kept.add(place, keep);
  pruning.dropped.add(place, drop);
}

void add_erase_old_writes(Pipeline& pipeline, const Writing& writing, const Prune& prune,
                          const Pruning& pruning) {
  pipeline.add(writing.statements.erase_old_writes)
      .text(prune.thread_id)
      .text_array(pruning.latest.namespaces)
      .text_array(pruning.latest.checkpoint_ids)
      .text_array(pruning.kept.namespaces)
      .text_array(pruning.kept.checkpoint_ids);
}

}  // namespace

Reading add_delete_thread(Pipeline& pipeline, const Writing& writing,
                          const DeleteThread& deletion) {
  pipeline.add(writing.statements.delete_thread).text(deletion.thread_id);
  return [](std::span<const Result> results) { return Written{.changed = count(results[0])}; };
}

// Threads are found without a lock, for nobody can lock what is not known yet. What a run puts into
// further threads from then on comes after the deletion. Where there are too many for one
// transaction, all are looked at before anything goes, because a conflict in one spares them all.
void delete_runs(Connection& connection, const Writing& writing, const DeleteRuns& deletion,
                 Written& written, const Call& call) {
  const Texts& run_ids = deletion.run_ids;
  if (run_ids.empty()) return;
  const auto parts = divide(find_threads_of_runs(connection, writing, run_ids, call));
  if (parts.size() > 1) {
    for (const Texts& part : parts) {
      check_not_needed(read(connection, writing, part, run_ids, call));
    }
  }
  for (const Texts& part : parts) {
    written.changed += delete_from(connection, writing, part, run_ids, call);
  }
}

Written prune(Connection& connection, const Writing& writing, const Prune& prune,
              const Call& call) {
  const auto graphs = lock_and_read(connection, writing, {prune.thread_id}, {}, call);
  Pruning pruning;
  for (const auto& [place, graph] : graphs) plan_pruning(place, graph, pruning);
  Pipeline pipeline;
  add_erase(pipeline, writing, pruning.dropped);
  add_erase_old_writes(pipeline, writing, prune, pruning);
  // Also when no checkpoint goes: one that was put again may have left a blob behind.
  add_collect_blobs(pipeline, writing, pruning.latest);
  pipeline.add(writing.statements.commit);
  return {.changed = count(pipeline.run(connection, Effect::commit, call).front())};
}

}  // namespace threadkeep::postgres
