// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "mutations.hpp"
#include "tables.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::sqlite {

namespace {

using Ids = std::set<std::string>;
using BlobKey = std::pair<std::string, std::string>;  // channel, version

struct Place {
  std::string thread_id;
  std::string checkpoint_ns;
  friend auto operator<=>(const Place&, const Place&) = default;
};

Ids checkpoint_ids(Connection& connection, const Place& place) {
  Ids ids;
  Rows rows = connection.query(
      "SELECT checkpoint_id FROM checkpoints WHERE thread_id = ?1 AND checkpoint_ns = ?2",
      place.thread_id, place.checkpoint_ns);
  while (rows.next()) ids.insert(rows.text(0));
  return ids;
}

std::vector<CheckpointNode> read_nodes(Connection& connection, const Place& place) {
  std::vector<CheckpointNode> nodes;
  Rows rows = connection.query(
      "SELECT checkpoint_id, parent_checkpoint_id, metadata FROM checkpoints "
      "WHERE thread_id = ?1 AND checkpoint_ns = ?2",
      place.thread_id, place.checkpoint_ns);
  while (rows.next()) {
    nodes.push_back({rows.text(0), rows.optional_text(1), delta_channels(rows.view(2)), {}});
  }
  return nodes;
}

// Blobs that are values: not those that only say that there is none.
std::set<BlobKey> read_value_keys(Connection& connection, const Place& place) {
  std::set<BlobKey> keys;
  Rows rows = connection.query(
      "SELECT channel, version FROM checkpoint_blobs "
      "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND type <> ?3",
      place.thread_id, place.checkpoint_ns, std::string_view(empty_type));
  while (rows.next()) keys.emplace(rows.text(0), rows.text(1));
  return keys;
}

Ids valued_channels(const DocumentChannels& document, const Ids& channels,
                    const std::set<BlobKey>& values) {
  Ids valued;
  for (const auto& [channel, value] : document.inline_values) {
    if (channels.contains(channel)) valued.insert(channel);
  }
  for (const BlobKey& key : document.versions) {
    if (channels.contains(key.first) && values.contains(key)) valued.insert(key.first);
  }
  return valued;
}

void find_values(Connection& connection, const Place& place, const Ids& channels,
                 std::vector<CheckpointNode>& nodes) {
  const std::set<BlobKey> values = read_value_keys(connection, place);
  for (CheckpointNode& node : nodes) {
    Rows rows = connection.query(
        "SELECT checkpoint FROM checkpoints "
        "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id = ?3",
        place.thread_id, place.checkpoint_ns, node.checkpoint_id);
    if (rows.next()) {
      node.valued_channels = valued_channels(read_document(rows.view(0)), channels, values);
    }
  }
}

// Documents are read only where there are delta channels, which is nearly nowhere.
DeltaDependencies dependencies(Connection& connection, const Place& place) {
  std::vector<CheckpointNode> nodes = read_nodes(connection, place);
  Ids channels;
  for (const CheckpointNode& node : nodes) {
    channels.insert(node.delta_channels.begin(), node.delta_channels.end());
  }
  if (!channels.empty()) find_values(connection, place, channels, nodes);
  return DeltaDependencies(std::move(nodes));
}

std::set<BlobKey> referenced_blobs(Connection& connection, const Place& place) {
  std::set<BlobKey> referenced;
  Rows rows = connection.query(
      "SELECT checkpoint FROM checkpoints WHERE thread_id = ?1 AND checkpoint_ns = ?2",
      place.thread_id, place.checkpoint_ns);
  while (rows.next()) {
    for (auto& key : read_document(rows.view(0)).versions) referenced.insert(std::move(key));
  }
  return referenced;
}

std::vector<BlobKey> unreferenced_blobs(Connection& connection, const Place& place) {
  const std::set<BlobKey> referenced = referenced_blobs(connection, place);
  std::vector<BlobKey> orphans;
  Rows rows = connection.query(
      "SELECT channel, version FROM checkpoint_blobs WHERE thread_id = ?1 AND checkpoint_ns = ?2",
      place.thread_id, place.checkpoint_ns);
  while (rows.next()) {
    BlobKey key(rows.text(0), rows.text(1));
    if (!referenced.contains(key)) orphans.push_back(std::move(key));
  }
  return orphans;
}

void collect_blobs(Connection& connection, const Place& place) {
  for (const auto& [channel, version] : unreferenced_blobs(connection, place)) {
    connection.execute(
        "DELETE FROM checkpoint_blobs "
        "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND channel = ?3 AND version = ?4",
        place.thread_id, place.checkpoint_ns, channel, version);
  }
}

void delete_writes(Connection& connection, const Place& place, const std::string& id) {
  connection.execute(
      "DELETE FROM checkpoint_writes "
      "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id = ?3",
      place.thread_id, place.checkpoint_ns, id);
}

// Takes checkpoints and their writes out of a namespace; the caller collects the blobs.
std::uint64_t erase(Connection& connection, const Place& place, const Ids& ids, std::int64_t now) {
  if (ids.empty()) return 0;
  for (const std::string& id : ids) {
    connection.execute(
        "DELETE FROM checkpoints "
        "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id = ?3",
        place.thread_id, place.checkpoint_ns, id);
    delete_writes(connection, place, id);
  }
  raise_tombstone(connection, place.thread_id, *ids.rbegin(), now);
  return ids.size();
}

std::map<Place, Ids> checkpoints_of_runs(Connection& connection,
                                         const std::vector<std::string>& run_ids) {
  std::map<Place, Ids> found;
  for (const std::string& run : run_ids) {
    Rows rows = connection.query(
        "SELECT thread_id, checkpoint_ns, checkpoint_id FROM checkpoints WHERE run_id = ?1", run);
    while (rows.next()) found[{rows.text(0), rows.text(1)}].insert(rows.text(2));
  }
  return found;
}

void check_not_needed(Connection& connection, const Place& place, const Ids& ids) {
  const DeltaDependencies graph = dependencies(connection, place);
  for (const std::string& id : checkpoint_ids(connection, place)) {
    if (ids.contains(id)) continue;
    for (const std::string& needed : graph.needed_by(id)) {
      if (!ids.contains(needed)) continue;
      throw Error(Code::conflict, "thread '" + place.thread_id + "': checkpoint '" + id +
                                      "' needs a checkpoint of these runs to rebuild its delta "
                                      "channels; delete its run too, or the thread");
    }
  }
}

std::vector<std::string> namespaces(Connection& connection, const std::string& thread_id) {
  std::vector<std::string> names;
  Rows rows = connection.query(
      "SELECT DISTINCT checkpoint_ns FROM checkpoints WHERE thread_id = ?1", thread_id);
  while (rows.next()) names.push_back(rows.text(0));
  return names;
}

std::vector<std::string> ids_with_writes_before(Connection& connection, const Place& place,
                                                const std::string& latest) {
  std::vector<std::string> ids;
  Rows rows = connection.query(
      "SELECT DISTINCT checkpoint_id FROM checkpoint_writes "
      "WHERE thread_id = ?1 AND checkpoint_ns = ?2 AND checkpoint_id < ?3",
      place.thread_id, place.checkpoint_ns, latest);
  while (rows.next()) ids.push_back(rows.text(0));
  return ids;
}

std::uint64_t prune_namespace(Connection& connection, const Place& place, std::int64_t now) {
  Ids drop = checkpoint_ids(connection, place);
  const std::string latest = *drop.rbegin();
  Ids keep = dependencies(connection, place).needed_by(latest);
  keep.insert(latest);
  for (const std::string& id : keep) drop.erase(id);
  const std::uint64_t erased = erase(connection, place, drop, now);
  for (const std::string& id : ids_with_writes_before(connection, place, latest)) {
    if (!keep.contains(id)) delete_writes(connection, place, id);
  }
  // Also when no checkpoint goes: one that was put again may have left a blob behind.
  collect_blobs(connection, place);
  return erased;
}

}  // namespace

Written delete_thread(Connection& connection, const DeleteThread& deletion, std::int64_t now) {
  const std::string& thread_id = deletion.thread_id;
  std::optional<std::string> greatest;
  {
    Rows rows = connection.query("SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?1",
                                 thread_id);
    rows.next();
    greatest = rows.optional_text(0);
  }
  if (greatest) raise_tombstone(connection, thread_id, *greatest, now);
  connection.execute("DELETE FROM checkpoint_blobs WHERE thread_id = ?1", thread_id);
  connection.execute("DELETE FROM checkpoint_writes WHERE thread_id = ?1", thread_id);
  connection.execute("DELETE FROM threadkeep_threads WHERE thread_id = ?1", thread_id);
  connection.execute("DELETE FROM threadkeep_streams WHERE thread_id = ?1", thread_id);
  connection.execute("DELETE FROM threadkeep_operations WHERE thread_id = ?1", thread_id);
  auto erased = connection.execute("DELETE FROM checkpoints WHERE thread_id = ?1", thread_id);
  erased += connection.execute("DELETE FROM threadkeep_messages WHERE thread_id = ?1", thread_id);
  erased += connection.execute("DELETE FROM threadkeep_state WHERE thread_id = ?1", thread_id);
  return {.changed = static_cast<std::uint64_t>(erased)};
}

Written delete_runs(Connection& connection, const DeleteRuns& deletion, std::int64_t now) {
  const auto found = checkpoints_of_runs(connection, deletion.run_ids);
  for (const auto& [place, ids] : found) check_not_needed(connection, place, ids);
  Written written;
  for (const auto& [place, ids] : found) {
    written.changed += erase(connection, place, ids, now);
    collect_blobs(connection, place);
  }
  return written;
}

Written prune(Connection& connection, const Prune& prune, std::int64_t now) {
  Written written;
  for (const std::string& name : namespaces(connection, prune.thread_id)) {
    written.changed += prune_namespace(connection, {prune.thread_id, name}, now);
  }
  return written;
}

void erase_checkpoints(Connection& connection, const std::string& thread_id,
                       const std::string& checkpoint_ns, const std::vector<std::string>& ids,
                       std::int64_t now) {
  const Place place{thread_id, checkpoint_ns};
  erase(connection, place, Ids(ids.begin(), ids.end()), now);
  collect_blobs(connection, place);
}

}  // namespace threadkeep::sqlite
