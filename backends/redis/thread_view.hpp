// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "layout.hpp"
#include "threadkeep/backend_support.hpp"
#include "transaction.hpp"

namespace threadkeep::redis {

/// The names in one namespace of a thread.
struct NamespaceView {
  std::set<std::string> checkpoints;
  std::set<std::pair<std::string, std::string>> blobs;  ///< Channel and version.
};

/// What a thread holds, by name only.
struct ThreadView {
  /// A deletion goes through only while these stand.
  std::int64_t changes = 0;
  std::string generation;
  std::map<std::string, NamespaceView> namespaces;
};

/// What was found of a thread.
struct Found {
  bool hash;
  bool items;  ///< In the hash: checkpoints, messages, documents.
  bool index;
};
/// Throws Error(corrupt) when a key is missing: the server has evicted or lost it.
void check_whole(const Keys& keys, const Found& found);

/// Empty when there is no such thread.
std::optional<ThreadView> view_thread(Writer& writer, const std::string& thread_id);

/// Thrown when what was read does not fit together because the thread has changed meanwhile.
struct Changed {};

/// The contents of checkpoints, in their order. Throws Changed when one is gone.
std::vector<Content> read_contents(Writer& writer, const std::string& thread_id,
                                   const std::string& checkpoint_ns,
                                   const std::vector<std::string>& checkpoint_ids);

/// The dependencies of the delta channels among `ids`, which come with their contents.
DeltaDependencies dependencies(Writer& writer, const std::string& thread_id,
                               const std::string& checkpoint_ns,
                               const std::vector<std::string>& ids,
                               const std::vector<Content>& contents);

/// What is to go from a thread.
struct Erasure {
  std::vector<std::string> places;  ///< Namespace and id of checkpoints.
  std::vector<std::string> blobs;   ///< Fields.
  std::vector<std::string> runs;    ///< Of which no checkpoint stays.
  std::string greatest;             ///< Checkpoint id that goes; empty when none does.

  bool empty() const noexcept { return places.empty() && blobs.empty() && runs.empty(); }
  void add_checkpoint(const std::string& checkpoint_ns, const std::string& id);
  /// Of all blobs of the namespace those that none of the contents refers to.
  void add_unreferenced(const std::string& checkpoint_ns, const NamespaceView& view,
                        const std::vector<Content>& staying);
};

/// Carries it out; how many checkpoints went. Throws Changed when the thread has changed since.
/// `judged` is what a sweep has judged, for is_as_judged() of lua/head.lua.
std::uint64_t erase(Writer& writer, const std::string& thread_id, const ThreadView& view,
                    const Erasure& erasure, const std::vector<std::string>& judged = {});

/// Calls `body` until it does not throw Changed.
template <class Body>
auto until_unchanged(Writer& writer, const Body& body) {
  for (;;) {
    try {
      return body();
    } catch (const Changed&) {
      if (writer.call().stop.stop_requested()) throw Error(Code::cancelled, "nothing was done");
    }
  }
}

}  // namespace threadkeep::redis
