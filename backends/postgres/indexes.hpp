// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "layout.hpp"

namespace threadkeep::postgres {

/// An index on LangGraph's table `checkpoints`.
struct IndexStep {
  int version = 0;  ///< In the ledger.
  std::string_view name;
  std::string_view sql;
  std::string_view shape;     ///< As catalog_indexes.sql shows it once it is built.
  bool for_bytewise = false;  ///< Wanted also where ids are in the order of their bytes.
  std::string_view without;   ///< What its absence costs.
};

std::span<const IndexStep> indexes();
bool is_wanted(const IndexStep& index, const Layout& layout);
/// It exists and is valid. Throws Error(corrupt) when the name belongs to another index.
bool is_built(const Catalog& catalog, const IndexStep& index);

/// Builds one index without blocking writers, unless it is there, and records it. Takes up what a
/// killed run left behind. Outside transactions, under the lock of setup. Throws Error(corrupt)
/// when the name belongs to another index, Error(timeout) when the call's deadline ended it.
void ensure_index(Connection& connection, const IndexStep& index, const Call& call);

}  // namespace threadkeep::postgres
