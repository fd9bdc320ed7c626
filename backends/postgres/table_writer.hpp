// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connection.hpp"
#include "table_direct.hpp"
#include "table_ledger.hpp"
#include "table_stage.hpp"
#include "threadkeep/table_store.hpp"

namespace threadkeep::postgres {

/// Writes on a connection of its own. A function that throws has rolled back what was open, a group
/// too. One comparison at a time.
class TableWriter final : public tables::Writer {
 public:
  explicit TableWriter(std::unique_ptr<Connection> connection);

  std::optional<tables::Run> unfinished_run(const Call& call) override;
  void begin_run(const tables::Run& run, const Call& call) override;
  void finish_run(const std::string& run_id, const Call& call) override;
  std::vector<std::string> rejected_keys(const std::string& run_id, const std::string& table,
                                         const Call& call) override;

  tables::Counts write(const tables::Target& target, const tables::Batch& batch,
                       const std::string& run_id, tables::TableProgress& progress,
                       std::uint64_t max_rejects, const OnReject& reject,
                       const Call& call) override;
  void begin_group(const Call& call) override;
  void end_group(const Call& call) override;
  void mark_done(const std::string& run_id, tables::TableProgress& progress,
                 const Call& call) override;

  std::uint64_t advance_sequences(const tables::Table& table, const Call& call) override;

  std::unique_ptr<tables::Comparison> compare(const tables::Target& target,
                                              const Call& call) override;
  std::unique_ptr<tables::Comparison> compare_range(const tables::Target& target,
                                                    const tables::KeyRange& range,
                                                    const Call& call) override;
  std::vector<tables::Orphans> orphans(const tables::Table& table, const Call& call) override;
  std::vector<tables::SequenceBehind> sequences_behind(const tables::Table& table,
                                                       const Call& call) override;

 private:
  template <class Work>
  auto undone_on_failure(Work work);
  tables::Counts write_by_stage(const tables::Target& target, const tables::Batch& batch,
                                const std::string& run_id, std::uint64_t max_rejects,
                                const OnReject& reject, const Call& call);
  TableStage& stage_for(const tables::Target& target, const Call& call);

  std::unique_ptr<Connection> connection_;
  TableLedger ledger_;
  DirectCopy direct_;
  std::optional<TableStage> stage_;
};

}  // namespace threadkeep::postgres
