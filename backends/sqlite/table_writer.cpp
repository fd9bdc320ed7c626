// SPDX-License-Identifier: Apache-2.0
#include "table_writer.hpp"

#include <map>

#include "table_comparison.hpp"
#include "table_ledger.hpp"
#include "table_row_writer.hpp"
#include "table_snapshot.hpp"
#include "table_sql.hpp"
#include "table_transactions.hpp"

namespace threadkeep::sqlite {

namespace {

using tables::Batch;
using tables::Counts;
using tables::Reject;
using tables::Table;
using tables::TableProgress;
using tables::Target;

// SQLite's name of what is found here before it would find it.
constexpr std::string_view broken_reference = "SQLITE_CONSTRAINT_FOREIGNKEY";

/// One batch on its way into a table, inside a transaction.
class BatchWriter {
 public:
  BatchWriter(Connection& connection, const Target& target, const std::string& run_id,
              std::string_view lines)
      : connection_(connection),
        target_(target),
        lines_(lines_of(lines)),
        writer_(connection, target, run_id) {}

  /// Writes all rows that the table takes. `in_group`: references are looked at later.
  Counts write(bool in_group) {
    while (true) {
      connection_.execute("SAVEPOINT threadkeep_batch");
      attempt();
      if (in_group || !connection_.has_unresolved_references()) break;
      find_broken_references();
      connection_.execute("ROLLBACK TO threadkeep_batch");
      connection_.execute("RELEASE threadkeep_batch");
    }
    connection_.execute("RELEASE threadkeep_batch");
    counts_.rejected = failures_.size() + left_out_.size();
    return counts_;
  }

  /// By line, in their order.
  std::map<std::size_t, RowFailure> failures() {
    failures_.merge(left_out_);
    return std::move(failures_);
  }
  std::string_view line(std::size_t number) const { return lines_[number]; }

 private:
  using Outcome = RowWriter::Outcome;

  void attempt() {
    counts_ = {};
    failures_.clear();
    writer_.start_batch();
    for (std::size_t number = 0; number < lines_.size(); ++number) {
      if (left_out_.contains(number)) continue;
      std::optional<RowFailure> failure;
      const Outcome outcome = writer_.write(lines_[number], failure);
      if (failure) {
        failures_.emplace(number, std::move(*failure));
      } else {
        count(outcome);
      }
    }
  }

  void count(Outcome outcome) {
    counts_.inserted += outcome == Outcome::inserted ? 1 : 0;
    counts_.updated += outcome == Outcome::updated ? 1 : 0;
    counts_.unchanged += outcome == Outcome::unchanged ? 1 : 0;
    counts_.kept += outcome == Outcome::kept ? 1 : 0;
  }

  // References are looked at when all rows are there, so that rows may point to later ones. The
  // rows are tried again without those that point to nothing, which others may point to.
  void find_broken_references() {
    const std::size_t before = left_out_.size();
    for (std::size_t number = 0; number < lines_.size(); ++number) {
      if (left_out_.contains(number) || failures_.contains(number)) continue;
      auto failure = writer_.broken_reference(lines_[number]);
      if (failure) left_out_.emplace(number, std::move(*failure));
    }
    if (left_out_.size() > before) return;
    throw Error(Code::conflict,
                "the rows for the table \"" + target_.table.name +
                    "\" would leave references to nothing behind, and none of them points to "
                    "nothing itself: look at triggers and at columns that are not copied",
                broken_reference);
  }

  Connection& connection_;
  const Target& target_;
  const std::vector<std::string_view> lines_;
  RowWriter writer_;
  Counts counts_;
  std::map<std::size_t, RowFailure> failures_;  // Of the last attempt.
  std::map<std::size_t, RowFailure> left_out_;  // Rows that point to nothing.
};

void hand_out(BatchWriter& batch, const Target& target, std::uint64_t most,
              const tables::Writer::OnReject& handler) {
  std::uint64_t count = 0;
  for (auto& [number, failure] : batch.failures()) {
    handler(
        Reject{target.table.name, std::string(batch.line(number)), failure.code, failure.message});
    if (++count <= most) continue;
    throw Error(Code::invalid_argument,
                "the table \"" + target.table.name + "\" does not take a row (" + failure.code +
                    "); nothing of its batch is written, because no more than " +
                    std::to_string(most) + " of them may be left out");
  }
}

class TableWriter final : public tables::Writer {
 public:
  TableWriter(const Settings& settings, std::shared_ptr<LockState> lock, const Call& call)
      : settings_(settings),
        connection_(settings, Connection::Purpose::write, Connection::Missing::fail, call),
        transactions_(connection_, std::move(lock)) {
    connection_.run_script("PRAGMA foreign_keys = ON");
    connection_.finish();
  }

  std::optional<tables::Run> unfinished_run(const Call& call) override {
    const Use use(connection_, call);
    return sqlite::unfinished_run(connection_);
  }

  void begin_run(const tables::Run& run, const Call& call) override {
    transactions_.run(call, [&] { sqlite::begin_run(connection_, run); });
  }

  void finish_run(const std::string& run_id, const Call& call) override {
    transactions_.run(call, [&] { sqlite::finish_run(connection_, run_id); });
  }

  std::vector<std::string> rejected_keys(const std::string& run_id, const std::string& table,
                                         const Call& call) override {
    const Use use(connection_, call);
    return rejected(connection_, run_id, table);
  }

  Counts write(const Target& target, const Batch& batch, const std::string& run_id,
               TableProgress& progress, std::uint64_t max_rejects, const OnReject& reject,
               const Call& call) override {
    Counts counts;
    TableProgress next = progress;
    transactions_.run(call, [&] {
      BatchWriter writer(connection_, target, run_id, batch.lines);
      counts = writer.write(transactions_.in_group());
      hand_out(writer, target, max_rejects, [&](const Reject& row) {
        if (reject) reject(row);
        if (target.table.key.empty()) return;
        sqlite::reject(connection_, run_id, row.table, tables::key_of(target, row.line));
      });
      next.counts += counts;
      next.cursor = batch.end;
      record(connection_, run_id, next);
    });
    progress = std::move(next);
    return counts;
  }

  void begin_group(const Call& call) override { transactions_.begin_group(call); }

  void end_group(const Call& call) override {
    transactions_.end_group(call, [&] {
      if (connection_.has_unresolved_references()) refuse_group();
    });
  }

  void mark_done(const std::string& run_id, TableProgress& progress, const Call& call) override {
    TableProgress next = progress;
    next.done = true;
    transactions_.run(call, [&] { record(connection_, run_id, next); });
    progress = std::move(next);
  }

  std::uint64_t advance_sequences(const Table& table, const Call& call) override {
    std::uint64_t moved = 0;
    transactions_.run(call, [&] {
      for (const auto& behind : sequences_behind_of(table)) {
        moved += static_cast<std::uint64_t>(connection_.execute(
            "UPDATE main.sqlite_sequence SET seq = CAST(?2 AS INTEGER) WHERE name = ?1",
            behind.table, behind.highest));
      }
    });
    return moved;
  }

  std::unique_ptr<tables::Comparison> compare(const Target& target, const Call& call) override {
    return sqlite::compare(settings_, target, call);
  }

  std::vector<tables::Orphans> orphans(const Table& table, const Call& call) override {
    const Use use(connection_, call);
    return orphans_of(table);
  }

  std::vector<tables::SequenceBehind> sequences_behind(const Table& table,
                                                       const Call& call) override {
    const Use use(connection_, call);
    return sequences_behind_of(table);
  }

 private:
  [[noreturn]] void refuse_group() {
    std::string names;
    Rows rows = connection_.query(
        "SELECT \"table\", count(*), parent FROM pragma_foreign_key_check GROUP BY 1, fkid");
    while (rows.next()) {
      names += (names.empty() ? "" : "; ") + rows.text(1) + " rows of \"" + rows.text(0) +
               "\" point to no row of \"" + rows.text(2) + '"';
    }
    throw Error(Code::conflict, "nothing of the group is written: " + names, broken_reference);
  }

  std::vector<tables::Orphans> orphans_of(const Table& table) {
    std::map<std::int64_t, std::uint64_t> counts;
    {
      Rows rows = connection_.query(
          "SELECT fkid, count(*) FROM pragma_foreign_key_check(?1, 'main') GROUP BY fkid",
          table.name);
      while (rows.next()) counts[rows.integer(0)] = static_cast<std::uint64_t>(rows.integer(1));
    }
    std::vector<tables::Orphans> orphans;
    for (auto& [id, key] : foreign_keys_of(connection_, table.name)) {
      const auto found = counts.find(id);
      if (found != counts.end()) orphans.push_back({table.name, key, found->second});
    }
    return orphans;
  }

  // SQLite itself never gives an id that is taken; programs that look at the table may.
  std::vector<tables::SequenceBehind> sequences_behind_of(const Table& table) {
    std::vector<tables::SequenceBehind> behind;
    for (const auto& column : table.columns) {
      if (column.identity == tables::Identity::none) continue;
      Rows rows = connection_.query(
          "SELECT s.seq + 1, m.highest FROM main.sqlite_sequence AS s, (SELECT max(" +
              quote_identifier(column.name) + ") AS highest FROM main." +
              quote_identifier(table.name) + ") AS m WHERE s.name = ?1 AND s.seq < m.highest",
          table.name);
      if (rows.next()) {
        behind.push_back({table.name, column.name, rows.text(0), rows.text(1)});
      }
    }
    return behind;
  }

  const Settings& settings_;
  Connection connection_;
  TableTransactions transactions_;
};

}  // namespace

std::unique_ptr<tables::Writer> open_writer(const Settings& settings,
                                            std::shared_ptr<LockState> state, const Call& call) {
  return std::make_unique<TableWriter>(settings, std::move(state), call);
}

}  // namespace threadkeep::sqlite
