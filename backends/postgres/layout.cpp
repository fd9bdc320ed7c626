// SPDX-License-Identifier: Apache-2.0
#include "layout.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "catalog.hpp"
#include "indexes.hpp"
#include "ledger.hpp"

namespace threadkeep::postgres {

namespace {

using ColumnName = std::pair<std::string_view, std::string_view>;

// The texts by which rows are put in order.
constexpr std::array<ColumnName, 5> ordered = {{{"checkpoints", "thread_id"},
                                                {"checkpoints", "checkpoint_ns"},
                                                {"checkpoints", "checkpoint_id"},
                                                {"checkpoint_writes", "task_id"},
                                                {"checkpoint_writes", "task_path"}}};

const Catalog::Column* find(const Catalog& catalog, const ColumnName& name) {
  const auto* table = catalog.find(name.first);
  return table ? table->find(name.second) : nullptr;
}

bool is_bytewise(const Catalog& catalog) {
  return std::all_of(ordered.begin(), ordered.end(), [&](const ColumnName& name) {
    const auto* column = find(catalog, name);
    return !column || column->bytewise;
  });
}

bool has_index(const Catalog& catalog, int version) {
  return std::any_of(indexes().begin(), indexes().end(), [&](const IndexStep& index) {
    const auto* found = catalog.find_index(index.name);
    return index.version == version && found && found->valid;
  });
}

bool has_all(const Catalog& catalog, std::initializer_list<std::string_view> tables) {
  return std::all_of(tables.begin(), tables.end(),
                     [&](std::string_view table) { return catalog.find(table) != nullptr; });
}

bool has_first_use(const Catalog& catalog) {
  return has_all(catalog, {"threadkeep_migrations", "threadkeep_threads", "threadkeep_tombstones",
                           "threadkeep_streams", "threadkeep_messages", "threadkeep_state",
                           "threadkeep_scopes", "threadkeep_operations"}) &&
         std::all_of(steps().begin(), steps().end(), [&](const Step& step) {
           return !step.first_use || is_finished(catalog, step);
         });
}

void warn(const Catalog& catalog, Layout& layout) {
  layout.warnings = judge_ledger(catalog).warnings;
  if (layout.langgraph_version > known_langgraph_version) {
    layout.warnings.push_back(
        "LangGraph's tables are at version " + std::to_string(layout.langgraph_version) +
        ", and this program knows up to " + std::to_string(known_langgraph_version) +
        "; the columns that it uses are as they were");
  }
  if (!layout.has_checkpoint_tables) return;
  for (const IndexStep& index : indexes()) {
    const auto* found = catalog.find_index(index.name);
    if ((found && found->valid) || !is_wanted(index, layout)) continue;
    layout.warnings.push_back("index " + std::string(index.name) +
                              (found ? " is invalid" : " is missing") + ", so that " +
                              std::string(index.without) + ": run `threadkeep setup`");
  }
}

}  // namespace

Layout layout_of(const Catalog& catalog) {
  Layout layout;
  layout.schema = catalog.schema;
  layout.schema_exists = catalog.schema_exists;
  layout.has_checkpoint_tables =
      has_all(catalog, {"checkpoints", "checkpoint_blobs", "checkpoint_writes"});
  layout.has_own_tables = has_first_use(catalog);
  layout.has_task_path = find(catalog, {"checkpoint_writes", "task_path"}) != nullptr;
  const auto* blob = find(catalog, {"checkpoint_blobs", "blob"});
  layout.blob_may_be_null = blob && !blob->not_null;
  layout.bytewise = is_bytewise(catalog);
  layout.threads_indexed = layout.bytewise || has_index(catalog, step::index_thread);
  layout.runs_indexed = has_index(catalog, step::index_run_id);
  layout.langgraph_version = catalog.langgraph_version;
  warn(catalog, layout);
  return layout;
}

Layout read_layout(Connection& connection, const Call& call) {
  return layout_of(read_catalog(connection, call));
}

}  // namespace threadkeep::postgres
