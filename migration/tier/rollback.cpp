// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/rollback.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "migration/tier/order.hpp"
#include "migration/tier/store_side.hpp"
#include "migration/tier/words.hpp"

namespace threadkeep::migration {

namespace {

Refused refusal(std::string text, std::string remedy) {
  return Refused(std::vector<Problem>{{std::move(text), std::move(remedy)}});
}

constexpr auto all_rows = std::numeric_limits<std::uint64_t>::max();

}  // namespace

std::uint64_t RollbackAnalysis::to_delete() const noexcept {
  std::uint64_t rows = 0;
  for (const auto& each : tables) rows += each.found.unchanged;
  return rows;
}

std::uint64_t RollbackAnalysis::changed() const noexcept {
  std::uint64_t rows = 0;
  for (const auto& each : tables) rows += each.found.changed;
  return rows;
}

class Rollback::Impl {
 public:
  Impl(const std::string& target_url, RollbackOptions options, RollbackEvents events,
       const Call& call)
      : options_(std::move(options)), events_(std::move(events)) {
    target_ = tables_at(target_url, call);
    if (!target_) {
      throw refusal("the target has no tables, and threads are not rolled back",
                    "give the --target-url of the migration");
    }
    analysis_.target = target_->info(call);
    if (events_.target) events_.target(analysis_.target);
  }

  const RollbackAnalysis& analyze(const Call& call) {
    look(events_.stays, call);
    return analysis_;
  }

  const RollbackAnalysis& carry_out(const Call& call) {
    const auto lock = target_->lock(
        options_.lock_patience,
        [&](const auto& holder) {
          if (events_.waiting) events_.waiting(holder);
        },
        call);
    if (events_.locked) events_.locked(lock->name());
    // Whoever held the lock may have changed the target; what stays was told before.
    look({}, call);
    try {
      delete_rows(*lock, call);
    } catch (const Error& error) {
      end_in_the_middle(error);
    }
    return analysis_;
  }

 private:
  using Stays = std::function<void(const std::string&, const tables::StayingRow&)>;

  void look(const Stays& stays, const Call& call) {
    undo_.reset();
    undo_ = open_undo(call);
    const auto names = undo_->logged_tables(call);
    if (names.empty()) {
      throw refusal("run " + options_.run + " has noted no rows",
                    "only a run with --row-log can be rolled back: restore the target's backup");
    }
    put_in_order(names, call);
    for (auto& each : analysis_.tables) each.found = look_at(each, stays, call);
    check_referrers(call);
  }

  tables::WrittenRows look_at(const TableRollback& each, const Stays& stays, const Call& call) {
    return undo_->look(
        each.table,
        [&](const auto& row) {
          if (stays) stays(each.table.name, row);
        },
        call);
  }

  std::unique_ptr<tables::RunUndo> open_undo(const Call& call) {
    try {
      return target_->undo(options_.run, call);
    } catch (const Error& error) {
      if (error.code() != Code::invalid_argument) throw;
      throw refusal(error.message(), "look for the id in what the migration has printed");
    }
  }

  // Children first: the other way round than they were copied.
  void put_in_order(const std::vector<std::string>& names, const Call& call) {
    std::vector<tables::Table> tables;
    analysis_.gone = names;
    for (auto& table : target_->describe(call).tables) {
      if (std::erase(analysis_.gone, table.name) > 0) tables.push_back(std::move(table));
    }
    order_ = order_tables(tables);
    std::reverse(order_.steps.begin(), order_.steps.end());
    analysis_.tables.clear();
    for (auto& step : order_.steps) {
      std::reverse(step.tables.begin(), step.tables.end());
      for (const auto& name : step.tables) {
        analysis_.tables.push_back(
            {.table = *std::find_if(tables.begin(), tables.end(),
                                    [&](const auto& each) { return each.name == name; })});
      }
    }
  }

  void check_referrers(const Call& call) {
    std::vector<Problem> problems;
    for (const auto& each : analysis_.tables) {
      for (const auto& found : undo_->referrers(each.table, call)) {
        problems.push_back({counted(found.rows, "row") + " of " +
                                names_of(found.table, found.columns) + " that would stay " +
                                (found.rows == 1 ? "refers" : "refer") + " to rows of " +
                                quoted(found.target) + " that would be deleted",
                            "delete them or let them refer to others first"});
      }
    }
    if (!problems.empty()) throw Refused(std::move(problems));
  }

  TableRollback& of(const std::string& name) {
    return *std::find_if(analysis_.tables.begin(), analysis_.tables.end(),
                         [&](const auto& each) { return each.table.name == name; });
  }

  void delete_rows(tables::MigrationLock& lock, const Call& call) {
    for (const auto& link : order_.links) {
      lock.check(call);
      undo_->unlink(of(link.table).table, link.columns, call);
    }
    for (const auto& step : order_.steps) {
      if (step.group) undo_->begin_group(call);
      for (const auto& name : step.tables) delete_rows_of(of(name), step.group, lock, call);
      if (step.group) undo_->end_group(call);
    }
    lock.check(call);
    if (nothing_stays(call)) return undo_->forget(call);
    target_->writer(call)->finish_run(options_.run, call);
  }

  // Rows that were changed while others were deleted are kept too, and are looked for.
  bool nothing_stays(const Call& call) {
    bool nothing = analysis_.changed() == 0;
    for (auto& each : analysis_.tables) {
      if (each.deleted >= each.found.unchanged) continue;
      const auto left = look_at(each, events_.stays, call);
      each.found.changed = left.changed + left.unchanged;
      nothing &= each.found.changed == 0;
    }
    return nothing;
  }

  // Rows of a group may refer to each other in any order: constraints look at whole statements.
  void delete_rows_of(TableRollback& each, bool whole, tables::MigrationLock& lock,
                      const Call& call) {
    while (true) {
      lock.check(call);
      const auto deleted = undo_->remove(each.table, whole ? all_rows : options_.batch_rows, call);
      if (!deleted) break;
      each.deleted += *deleted;
      if (events_.batch) events_.batch(each);
    }
    if (events_.table) events_.table(each);
  }

  const RollbackOptions options_;
  const RollbackEvents events_;
  std::unique_ptr<tables::Database> target_;
  std::unique_ptr<tables::RunUndo> undo_;
  Order order_;
  RollbackAnalysis analysis_;
};

Rollback::Rollback(const std::string& target_url, RollbackOptions options, RollbackEvents events,
                   const Call& call)
    : impl_(std::make_unique<Impl>(target_url, std::move(options), std::move(events), call)) {}

Rollback::~Rollback() = default;

const RollbackAnalysis& Rollback::analyze(const Call& call) {
  return impl_->analyze(call);
}

const RollbackAnalysis& Rollback::carry_out(const Call& call) {
  return impl_->carry_out(call);
}

}  // namespace threadkeep::migration
