// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/graph.hpp"

#include <algorithm>
#include <limits>

namespace threadkeep::migration {

namespace {

constexpr auto none = std::numeric_limits<std::size_t>::max();

using Arrows = std::vector<std::vector<std::size_t>>;

Arrows arrows_of(std::size_t nodes, const std::vector<Edge>& edges) {
  Arrows arrows(nodes);
  for (const Edge& edge : edges) arrows[edge.from].push_back(edge.to);
  return arrows;
}

// Tarjan's algorithm with a stack of its own: a chain of tables may be long.
class Components {
 public:
  explicit Components(Arrows arrows)
      : arrows_(std::move(arrows)),
        index_(arrows_.size(), none),
        low_(arrows_.size(), 0),
        component_(arrows_.size(), none) {}

  std::vector<std::size_t> find() && {
    for (std::size_t node = 0; node < arrows_.size(); ++node) {
      if (index_[node] == none) walk(node);
    }
    return std::move(component_);
  }

 private:
  struct Visit {
    std::size_t node;
    std::size_t next = 0;
  };

  void enter(std::size_t node) {
    index_[node] = low_[node] = visited_++;
    open_.push_back(node);
    path_.push_back({node});
  }

  void walk(std::size_t start) {
    enter(start);
    while (!path_.empty()) {
      Visit& visit = path_.back();
      const std::size_t node = visit.node;
      if (visit.next == arrows_[node].size()) {
        leave(node);
        continue;
      }
      const std::size_t to = arrows_[node][visit.next++];
      if (index_[to] == none) {
        enter(to);
      } else if (component_[to] == none) {
        low_[node] = std::min(low_[node], index_[to]);
      }
    }
  }

  void leave(std::size_t node) {
    if (low_[node] == index_[node]) close(node);
    path_.pop_back();
    if (!path_.empty()) low_[path_.back().node] = std::min(low_[path_.back().node], low_[node]);
  }

  void close(std::size_t root) {
    for (std::size_t node = none; node != root;) {
      node = open_.back();
      open_.pop_back();
      component_[node] = closed_;
    }
    ++closed_;
  }

  Arrows arrows_;
  std::vector<std::size_t> index_, low_, component_;
  std::vector<std::size_t> open_;
  std::vector<Visit> path_;
  std::size_t visited_ = 0, closed_ = 0;
};

}  // namespace

std::vector<std::size_t> components(std::size_t nodes, const std::vector<Edge>& edges) {
  return Components(arrows_of(nodes, edges)).find();
}

std::vector<std::size_t> topological(std::size_t nodes, const std::vector<Edge>& edges,
                                     const std::function<bool(std::size_t, std::size_t)>& before) {
  const Arrows arrows = arrows_of(nodes, edges);
  std::vector<bool> placed(nodes, false);
  const auto ready = [&](std::size_t node) {
    return std::all_of(arrows[node].begin(), arrows[node].end(),
                       [&](std::size_t to) { return placed[to]; });
  };
  std::vector<std::size_t> order;
  order.reserve(nodes);
  while (order.size() < nodes) {
    std::size_t best = none;
    for (std::size_t node = 0; node < nodes; ++node) {
      if (placed[node] || !ready(node)) continue;
      if (best == none || before(node, best)) best = node;
    }
    placed[best] = true;
    order.push_back(best);
  }
  return order;
}

bool has_cycle(std::size_t nodes, const std::vector<Edge>& edges) {
  std::vector<std::size_t> size(nodes, 0);
  for (const std::size_t component : components(nodes, edges)) {
    if (++size[component] > 1) return true;
  }
  return std::any_of(edges.begin(), edges.end(), [](const Edge& e) { return e.from == e.to; });
}

}  // namespace threadkeep::migration
