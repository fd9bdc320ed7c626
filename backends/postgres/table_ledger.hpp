// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::postgres {

/// What runs have done, in tables of the target's schema. Functions that write take part in the
/// transaction that is open, or are one of their own.
class TableLedger {
 public:
  explicit TableLedger(Connection& connection);

  std::optional<tables::Run> unfinished(const Call& call);
  /// The ids of all runs, the last one first.
  std::vector<std::string> runs(const Call& call);
  void begin(const tables::Run& run, const Call& call);
  void finish(const std::string& run_id, const Call& call);
  void record(const std::string& run_id, const tables::TableProgress& progress, const Call& call);
  /// The keys of rows that were rejected.
  void reject(const std::string& run_id, const std::string& table,
              const std::vector<std::string>& keys, const Call& call);
  std::vector<std::string> rejected(const std::string& run_id, const std::string& table,
                                    const Call& call);

 private:
  /// `with_rows`: also the tables of rows that were written and rejected.
  bool exists(bool with_rows, const Call& call);
  std::vector<tables::TableProgress> progress_of(const std::string& run_id, const Call& call);
  std::string text(std::string_view sql) const;

  Connection& connection_;
};

}  // namespace threadkeep::postgres
