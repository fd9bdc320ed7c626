// SPDX-License-Identifier: Apache-2.0
#include "checkpoint_graph.hpp"

#include <utility>

namespace threadkeep::postgres {

namespace {

using Valued = std::map<std::string, std::set<std::string>>;  // channels by checkpoint_id

std::map<Place, Valued> read_values(const Result& values) {
  std::map<Place, Valued> valued;
  for (std::size_t row = 0; row < values.size(); ++row) {
    valued[{values.text(row, 0), values.text(row, 1)}][values.text(row, 2)].insert(
        values.text(row, 3));
  }
  return valued;
}

CheckpointNode read_node(const Result& nodes, std::size_t row) {
  CheckpointNode node{nodes.text(row, 2), nodes.optional_text(row, 3), {}, {}};
  if (!nodes.is_null(row, 4)) node.delta_channels = delta_channels(nodes.json_view(row, 4));
  return node;
}

}  // namespace

std::map<Place, Graph> read_graphs(const Result& nodes, const Result& values) {
  auto valued = read_values(values);
  std::map<Place, Graph> graphs;
  for (std::size_t row = 0; row < nodes.size(); ++row) {
    const Place place{nodes.text(row, 0), nodes.text(row, 1)};
    CheckpointNode node = read_node(nodes, row);
    if (const auto found = valued.find(place); found != valued.end()) {
      node.valued_channels = std::move(found->second[node.checkpoint_id]);
    }
    Graph& graph = graphs[place];
    if (nodes.boolean(row, 5)) graph.of_runs.insert(node.checkpoint_id);
    graph.nodes.push_back(std::move(node));
  }
  return graphs;
}

}  // namespace threadkeep::postgres
