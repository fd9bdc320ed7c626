// SPDX-License-Identifier: Apache-2.0
#include "table_writer.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "table_checks.hpp"
#include "table_comparison.hpp"
#include "table_lines.hpp"
#include "table_merge.hpp"
#include "table_session.hpp"
#include "threadkeep/error.hpp"

namespace threadkeep::postgres {

namespace {

using tables::Batch;
using tables::Counts;
using tables::Table;
using tables::TableProgress;
using tables::Target;

constexpr std::string_view stage_name = "threadkeep_stage";
constexpr std::string_view unique_violation = "23505";

// Hands out the rows that are not taken, and gives up at one too many.
class Rejects {
 public:
  Rejects(const Target& target, std::uint64_t most, const tables::Writer::OnReject& handler)
      : target_(target), most_(most), handler_(handler) {}

  void add(std::string_view line, const RowFailure& failure) {
    ++count_;
    if (!target_.table.key.empty()) keys_.push_back(tables::key_of(target_, line));
    if (handler_) {
      handler_({target_.table.name, std::string(line), failure.code, failure.message});
    }
    if (count_ <= most_) return;
    throw Error(Code::invalid_argument,
                "table " + quote_identifier(target_.table.name) +
                    " does not take a row (SQLSTATE " + failure.code +
                    "); nothing of its batch is written, because no more than " +
                    std::to_string(most_) + " of them may be left out");
  }
  std::uint64_t count() const noexcept { return count_; }
  const std::vector<std::string>& keys() const noexcept { return keys_; }

 private:
  const Target& target_;
  const std::uint64_t most_;
  const tables::Writer::OnReject& handler_;
  std::uint64_t count_ = 0;
  std::vector<std::string> keys_;
};

std::string without(std::string_view lines, const std::vector<std::size_t>& numbers,
                    const RowFailure& failure, Rejects& rejects) {
  std::string rest;
  rest.reserve(lines.size());
  auto next = numbers.begin();
  std::size_t number = 0;
  for (const std::string_view line : split_lines(lines)) {
    if (next != numbers.end() && *next == number++) {
      ++next;
      rejects.add(line, failure);
    } else {
      rest.append(line).append("\n");
    }
  }
  return rest;
}

// Chains of rows that wait for each other are followed so far; else one batch could take for ever.
constexpr int most_rounds = 20;

// A row may point to one of the same table that is written by a later statement.
bool refers_to_itself(const Target& target) {
  const auto& keys = target.table.foreign_keys;
  return std::any_of(keys.begin(), keys.end(), [&](const tables::ForeignKey& key) {
    return key.same_schema && key.target == target.table.name;
  });
}

/// One batch on its way through the stage into the target, inside a transaction.
class BatchWriter {
 public:
  BatchWriter(Connection& connection, TableStage& stage, const Target& target,
              const std::string& run_id, Rejects& rejects, const Call& call)
      : connection_(connection),
        stage_(stage),
        target_(target),
        run_id_(run_id),
        rejects_(rejects),
        call_(call) {}

  Counts write(std::string_view lines) {
    const auto reject = [this](std::string_view line, const RowFailure& failure) {
      rejects_.add(line, failure);
    };
    std::string loaded;
    lines = load_rows(connection_, stage_, lines, loaded, reject, call_);
    const std::string rest = first_of_each_key(lines);
    if (!rest.empty()) lines = rest;
    if (const auto failure = merge_at_once(lines)) {
      std::string free;
      if (failure->code == unique_violation) lines = without_taken(lines, free);
      merge_patiently(lines, reject);
    }
    counts_.rejected = rejects_.count();
    return counts_;
  }

 private:
  // Empty when all keys differ. What is left is in the stage then.
  std::string first_of_each_key(std::string_view lines) {
    if (target_.mode == Target::Mode::insert_once || lines.empty()) return {};
    const auto again = stage_.duplicates(target_.table.key, call_);
    if (again.empty()) return {};
    const RowFailure twice{"21000", "the key is that of an earlier row of the same batch"};
    std::string rest = without(lines, again, twice, rejects_);
    stage_.load(rest, call_);
    return rest;
  }

  std::optional<RowFailure> merge_at_once(std::string_view lines) {
    if (lines.empty()) return {};
    const TableMerge merge(connection_.schema(), target_, stage_.name());
    return attempt(
        connection_, [&] { counts_ += merge.run(connection_, run_id_, call_); }, call_);
  }

  // To look for each of them in halves takes long where they are many.
  std::string_view without_taken(std::string_view lines, std::string& rest) {
    const TableMerge merge(connection_.schema(), target_, stage_.name());
    for (int round = 1; round <= most_rounds && !lines.empty(); ++round) {
      const auto taken = merge.find_taken(connection_, call_);
      if (taken.lines.empty()) break;
      const RowFailure failure{std::string(unique_violation),
                               "the value of " + list_of(taken.columns) +
                                   " is that of a row of the target with another key"};
      rest = without(lines, taken.lines, failure, rejects_);
      stage_.load(rest, call_);
      lines = rest;
    }
    return lines;
  }

  // `loaded`: the stage holds the lines already.
  void merge(std::string_view lines, bool loaded, const RowFinder::OnFailure& on_failure) {
    const TableMerge merge(connection_.schema(), target_, stage_.name());
    const auto work = [&](std::string_view part) {
      if (!std::exchange(loaded, false)) stage_.load(part, call_);
      counts_ += merge.run(connection_, run_id_, call_);
    };
    RowFinder(connection_, work, on_failure).run(lines, call_);
  }

  // While rows are looked for that are not taken, a row may be tried before the one that it points
  // to, or that gives up the value it wants: it is tried again as long as others come in between.
  void merge_patiently(std::string_view lines, const RowFinder::OnFailure& on_failure) {
    std::string waiting;
    bool loaded = true;
    std::size_t before = std::string::npos;
    for (int round = 1; !lines.empty(); ++round) {
      const bool stuck = lines.size() == before || round == most_rounds;
      std::string again;
      const auto decide = [&](std::string_view line, const RowFailure& failure) {
        if (stuck || !may_fit_later(failure)) return on_failure(line, failure);
        again.append(line).append("\n");
      };
      merge(lines, std::exchange(loaded, false), decide);
      before = lines.size();
      waiting = std::move(again);
      lines = waiting;
    }
  }

  bool may_fit_later(const RowFailure& failure) const {
    return failure.code == unique_violation ||
           (failure.code == "23503" && refers_to_itself(target_));
  }

  Connection& connection_;
  TableStage& stage_;
  const Target& target_;
  const std::string& run_id_;
  Rejects& rejects_;
  const Call& call_;
  Counts counts_;
};

}  // namespace

TableWriter::TableWriter(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)), ledger_(*connection_), direct_(*connection_) {}

template <class Work>
auto TableWriter::undone_on_failure(Work work) {
  try {
    return work();
  } catch (...) {
    roll_back(*connection_);
    stage_.reset();
    direct_.forget();
    throw;
  }
}

std::optional<tables::Run> TableWriter::unfinished_run(const Call& call) {
  return undone_on_failure([&] { return ledger_.unfinished(call); });
}

void TableWriter::begin_run(const tables::Run& run, const Call& call) {
  undone_on_failure([&] { ledger_.begin(run, call); });
}

void TableWriter::finish_run(const std::string& run_id, const Call& call) {
  undone_on_failure([&] { ledger_.finish(run_id, call); });
}

std::vector<std::string> TableWriter::rejected_keys(const std::string& run_id,
                                                    const std::string& table, const Call& call) {
  return undone_on_failure([&] { return ledger_.rejected(run_id, table, call); });
}

Counts TableWriter::write(const Target& target, const Batch& batch, const std::string& run_id,
                          TableProgress& progress, std::uint64_t max_rejects,
                          const OnReject& reject, const Call& call) {
  return undone_on_failure([&] {
    TableTransaction transaction(*connection_, call);
    Counts counts;
    if (const auto rows = direct_.write(target, batch, progress, call)) {
      counts.inserted = *rows;
    } else {
      counts = write_by_stage(target, batch, run_id, max_rejects, reject, call);
    }
    direct_.learn(counts);
    TableProgress next = progress;
    next.counts += counts;
    next.cursor = batch.end;
    ledger_.record(run_id, next, call);
    transaction.commit(call);
    progress = std::move(next);
    return counts;
  });
}

Counts TableWriter::write_by_stage(const Target& target, const Batch& batch,
                                   const std::string& run_id, std::uint64_t max_rejects,
                                   const OnReject& reject, const Call& call) {
  find_by_index(*connection_, call);
  Rejects rejects(target, max_rejects, reject);
  BatchWriter writer(*connection_, stage_for(target, call), target, run_id, rejects, call);
  const Counts counts = writer.write(batch.lines);
  if (!rejects.keys().empty()) ledger_.reject(run_id, target.table.name, rejects.keys(), call);
  return counts;
}

void TableWriter::begin_group(const Call& call) {
  undone_on_failure([&] {
    run_once(*connection_, "BEGIN", call);
    run_once(*connection_, "SET CONSTRAINTS ALL DEFERRED", call);
  });
}

void TableWriter::end_group(const Call& call) {
  undone_on_failure([&] {
    run_once(*connection_, "SET CONSTRAINTS ALL IMMEDIATE", call);
    static const Statement commit("COMMIT");
    connection_->run(commit, {}, Effect::commit, call);
  });
}

void TableWriter::mark_done(const std::string& run_id, TableProgress& progress, const Call& call) {
  undone_on_failure([&] {
    TableTransaction transaction(*connection_, call);
    TableProgress next = progress;
    next.done = true;
    ledger_.record(run_id, next, call);
    transaction.commit(call);
    progress = std::move(next);
  });
}

std::uint64_t TableWriter::advance_sequences(const Table& table, const Call& call) {
  return undone_on_failure([&] { return postgres::advance_sequences(*connection_, table, call); });
}

std::unique_ptr<tables::Comparison> TableWriter::compare(const Target& target, const Call& call) {
  return undone_on_failure([&] {
    return std::make_unique<TableComparison>(*connection_, target, tables::KeyRange{}, call);
  });
}

std::unique_ptr<tables::Comparison> TableWriter::compare_range(const Target& target,
                                                               const tables::KeyRange& range,
                                                               const Call& call) {
  return undone_on_failure(
      [&] { return std::make_unique<TableComparison>(*connection_, target, range, call); });
}

std::vector<tables::Orphans> TableWriter::orphans(const Table& table, const Call& call) {
  return undone_on_failure([&] { return find_orphans(*connection_, table, call); });
}

std::vector<tables::SequenceBehind> TableWriter::sequences_behind(const Table& table,
                                                                  const Call& call) {
  return undone_on_failure([&] { return find_sequences_behind(*connection_, table, call); });
}

TableStage& TableWriter::stage_for(const Target& target, const Call& call) {
  if (!stage_ || !stage_->fits(target)) {
    stage_.reset();
    stage_.emplace(*connection_, stage_name, target, call);
  }
  return *stage_;
}

}  // namespace threadkeep::postgres
