// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "connection.hpp"

namespace threadkeep::postgres {

/// What a schema holds, as far as threadkeep uses it.
struct Layout {
  std::string schema;  ///< Not quoted.
  bool schema_exists = false;
  bool has_checkpoint_tables = false;  ///< LangGraph's three tables are there.
  bool has_own_tables = false;         ///< threadkeep_* are there and in a version that we serve.
  bool has_task_path = false;     ///< checkpoint_writes has the column (LangGraph's migration 9).
  bool blob_may_be_null = false;  ///< checkpoint_blobs.blob (LangGraph's migration 4).
  /// The order of checkpoints' ids in its primary key is that of their bytes. Otherwise statements
  /// that order by an id name the collation "C", for which setup() builds an index.
  bool bytewise = false;
  /// An index has the threads of `checkpoints` in the order of their ids' bytes.
  bool threads_indexed = false;
  bool runs_indexed = false;          ///< Runs are found by an index.
  int langgraph_version = -1;         ///< Greatest v of checkpoint_migrations; -1 without it.
  std::vector<std::string> warnings;  ///< For ping(): what works but should be looked at.
};

/// The newest version of LangGraph's tables whose meaning is known here.
inline constexpr int known_langgraph_version = 9;

struct Catalog;
Layout layout_of(const Catalog& catalog);

/// Looks at the catalogs, in one round trip, and in a second one at the recorded versions. Changes
/// nothing.
Layout read_layout(Connection& connection, const Call& call);

}  // namespace threadkeep::postgres
