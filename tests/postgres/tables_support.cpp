// SPDX-License-Identifier: Apache-2.0
#include "tables_support.hpp"

#include <algorithm>
#include <stdexcept>

namespace threadkeep::postgres_test {

namespace {

bool is_key(const Table& table, const std::string& column) {
  return std::find(table.key.begin(), table.key.end(), column) != table.key.end();
}

}  // namespace

void TablesTest::in_both(const std::string& sql) {
  source.run(sql);
  target.run(sql);
}

Table TablesTest::describe(const std::string& url, const std::string& name) {
  const auto& database = url == source_url ? source_database : target_database;
  const auto schema = database->describe(Call());
  for (const Table& table : schema.tables) {
    if (table.name == name) return table;
  }
  throw std::runtime_error("no table " + name);
}

Target TablesTest::target_for(const std::string& name) {
  const Table from = describe(source_url, name);
  Target out;
  out.table = describe(target_url, name);
  for (const auto& column : out.table.columns) {
    const auto* theirs = from.find(column.name);
    if (column.generated || !theirs) continue;
    out.columns.push_back({column.name, theirs->kind});
    const bool changes = column.identity != tables::Identity::always;
    if (changes && !is_key(out.table, column.name)) out.update.push_back(column.name);
  }
  if (out.table.key.empty()) out.mode = Target::Mode::insert_once;
  return out;
}

std::vector<Batch> TablesTest::read(const Target& wanted, std::uint64_t rows_in_batch,
                                    const tables::Cursor& from) {
  const auto snapshot = source_database->snapshot(Call());
  tables::Snapshot::Selection selection;
  for (const auto& column : wanted.columns) selection.columns.push_back(column.name);
  selection.from = from;
  const auto reader = snapshot->read(describe(source_url, wanted.table.name), selection, Call());
  std::vector<Batch> batches;
  while (auto batch = reader->next(rows_in_batch, 8 << 20, Call())) {
    batches.push_back(std::move(*batch));
  }
  return batches;
}

tables::Writer& TablesTest::writer() {
  if (!writer_) {
    writer_ = target_database->writer(Call());
    tables::Run run;
    run.id = run_id;
    run.source = "here";
    run.plan_hash = "hash";
    writer_->begin_run(run, Call());
  }
  return *writer_;
}

Counts TablesTest::write(const Target& wanted, const std::vector<Batch>& batches,
                         std::uint64_t max_rejects) {
  TableProgress progress;
  progress.table = wanted.table.name;
  for (const Batch& batch : batches) {
    writer().write(
        wanted, batch, run_id, progress, max_rejects,
        [this](const Reject& reject) { rejects.push_back(reject); }, Call());
  }
  return progress.counts;
}

Counts TablesTest::copy(const std::string& name, std::uint64_t max_rejects) {
  const Target wanted = target_for(name);
  return write(wanted, read(wanted), max_rejects);
}

Differences TablesTest::compare(const Target& wanted, const std::vector<Batch>& batches) {
  const auto comparison = writer().compare(wanted, Call());
  for (const Batch& batch : batches) comparison->add(batch, Call());
  return comparison->finish(Call());
}

Differences TablesTest::compare(const std::string& name) {
  const Target wanted = target_for(name);
  return compare(wanted, read(wanted));
}

}  // namespace threadkeep::postgres_test
