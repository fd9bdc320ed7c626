// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "result.hpp"
#include "threadkeep/backend_support.hpp"

namespace threadkeep::postgres {

/// A namespace of a thread.
struct Place {
  std::string thread_id;
  std::string checkpoint_ns;
  friend auto operator<=>(const Place&, const Place&) = default;
};

/// The checkpoints of one namespace, as far as deletions have to know them.
struct Graph {
  std::vector<CheckpointNode> nodes;
  std::set<std::string> of_runs;  ///< Those whose run was asked for.
};

/// From the results of nodes_of_threads.sql and delta_values.sql.
std::map<Place, Graph> read_graphs(const Result& nodes, const Result& values);

}  // namespace threadkeep::postgres
