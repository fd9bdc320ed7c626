// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace threadkeep::migration {

/// An arrow of a graph whose nodes are numbered from 0.
struct Edge {
  std::size_t from = 0;
  std::size_t to = 0;
};

/// The number of its strongly connected component, for each node (Tarjan). Components have numbers
/// from 0, each greater than those that its arrows lead to.
std::vector<std::size_t> components(std::size_t nodes, const std::vector<Edge>& edges);

/// The nodes, each after those that its arrows lead to; `before` decides where there is a choice.
/// The graph has no cycle.
std::vector<std::size_t> topological(std::size_t nodes, const std::vector<Edge>& edges,
                                     const std::function<bool(std::size_t, std::size_t)>& before);

/// Whether arrows lead from a node to itself, over others or not.
bool has_cycle(std::size_t nodes, const std::vector<Edge>& edges);

}  // namespace threadkeep::migration
