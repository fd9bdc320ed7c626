// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::postgres {

/// Puts batches into a table without a stage, as long as its rows are all new. One that meets a row
/// that is there, or one that the table does not take, is undone: the stage can tell them apart.
/// Refers to the connection.
class DirectCopy {
 public:
  explicit DirectCopy(Connection& connection) : connection_(connection) {}

  /// Inside a transaction. How many rows were written; absent where a stage is needed, and nothing
  /// was written then. `so_far`: what the run has done to the table before this batch.
  std::optional<std::uint64_t> write(const tables::Target& target, const tables::Batch& batch,
                                     const tables::TableProgress& so_far, const Call& call);
  /// What became of the batch, whoever wrote it: the next one is likely to be alike.
  void learn(const tables::Counts& counts) noexcept;
  /// What was found out may have been rolled back.
  void forget() noexcept { table_.clear(); }

 private:
  void look_at(const tables::Target& target, const tables::TableProgress& so_far, const Call& call);
  bool takes_copy(const tables::Target& target, const Call& call);
  bool is_empty(const tables::Table& table, const Call& call);

  Connection& connection_;
  std::string table_;      // The one that the next two are about.
  bool possible_ = false;  // COPY does what INSERT would.
  bool likely_ = false;    // The rows that came last were all new.
};

}  // namespace threadkeep::postgres
