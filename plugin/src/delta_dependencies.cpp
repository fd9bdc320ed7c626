// SPDX-License-Identifier: Apache-2.0
#include "threadkeep/backend_support.hpp"

namespace threadkeep {

DeltaDependencies::DeltaDependencies(std::vector<CheckpointNode> nodes) {
  for (CheckpointNode& node : nodes) {
    std::string id = node.checkpoint_id;
    nodes_.insert_or_assign(std::move(id), std::move(node));
  }
}

std::set<std::string> DeltaDependencies::needed_by(const std::string& checkpoint_id) const {
  std::set<std::string> needed;
  auto at = nodes_.find(checkpoint_id);
  if (at == nodes_.end()) return needed;
  std::set<std::string> open(at->second.delta_channels.begin(), at->second.delta_channels.end());
  for (;;) {
    for (const std::string& channel : at->second.valued_channels) open.erase(channel);
    if (open.empty() || !at->second.parent_checkpoint_id) return needed;
    at = nodes_.find(*at->second.parent_checkpoint_id);
    // A parent that is absent ends the walk; one seen before would make it endless.
    if (at == nodes_.end() || at->first == checkpoint_id) return needed;
    if (!needed.insert(at->first).second) return needed;
  }
}

}  // namespace threadkeep
