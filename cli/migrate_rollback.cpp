// SPDX-License-Identifier: Apache-2.0
#include "migrate_rollback.hpp"

#include <migration/tier/words.hpp>

#include "duration_option.hpp"
#include "migrate_refusal.hpp"
#include "not_empty.hpp"
#include "printable.hpp"
#include "terminal.hpp"

namespace threadkeep::cli {

namespace {

using migration::counted;

constexpr const char* description =
    "Deletes the rows that a migration has put into its target.\n"
    "\n"
    "Rows that are as the run wrote them are deleted, children first, in batches. Rows that "
    "others\n"
    "have changed since stay, as do rows that were there before, which the run has changed: these\n"
    "are listed. The run must have been made with --row-log. Threads stay.";

constexpr const char* examples =
    "Example:\n"
    "  threadkeep migrate-tier rollback --run 5f2a90c1d4b87e36 --target-url postgresql:///app \\\n"
    "    --dry-run";

constexpr const char* exit_status =
    "0 done, 1 rows of the run were changed by others and stay, or the target refuses,\n"
    "2 refused or wrong usage, 3 interrupted: the same command goes on.";

// Of the rows that stay, so many are shown for each table.
constexpr std::uint64_t most_shown = 20;

Json json_of(const migration::TableRollback& table) {
  return {{"table", table.table.name}, {"to_delete", table.found.unchanged},
          {"deleted", table.deleted},  {"changed_by_others", table.found.changed},
          {"gone", table.found.gone},  {"updated_by_run", table.found.updated}};
}

}  // namespace

MigrateTierRollback::MigrateTierRollback(CLI::App& migrate_tier)
    : StoreCommand(migrate_tier, "rollback", description, examples, exit_status) {
  default_timeout(std::chrono::hours(24));
  json_flag()->description("Report by JSON, an event in each line");
  name_url("--target-url", "The target of the migration; THREADKEEP_TARGET_URL if not given",
           "THREADKEEP_TARGET_URL");
  options()
      .add_option("--run", run_, "The run, by the id that it has printed")
      ->required()
      ->check(not_empty());
  options().add_flag("--dry-run", dry_run_, "Say what would be done, change nothing");
  options().add_flag("--yes", yes_, "Do not ask");
  options()
      .add_option("--batch-rows", batch_rows_, "Rows of a batch, 10000 if not given")
      ->check(CLI::Range(1, 1'000'000).description(""));
  add_duration(options(), "--lock-timeout", lock_timeout_,
               "How long to wait for another migration, 1m if not given");
  options().add_flag("--no-wait", no_wait_, "Do not wait for another migration");
}

ExitStatus MigrateTierRollback::execute() {
  output_.emplace(json());
  const Call limits = call();
  migration::RollbackOptions wanted;
  wanted.run = run_;
  wanted.batch_rows = batch_rows_;
  wanted.lock_patience = std::chrono::milliseconds(no_wait_ ? 0 : lock_timeout_);
  return or_refusal("nothing was deleted", [&] {
    migration::Rollback rollback(url(), wanted, events(), limits);
    return roll_back(rollback, limits);
  });
}

migration::RollbackEvents MigrateTierRollback::events() {
  migration::RollbackEvents events;
  events.target = [this](const auto& info) {
    output_->line("Target: " + info.place + " (" + info.engine + " " + info.version + ")");
    output_->event("target", {{"engine", info.engine},
                              {"version", info.version},
                              {"place", info.place},
                              {"identity", info.identity}});
  };
  events.stays = [this](const auto& table, const auto& row) { stays(table, row); };
  events.waiting = [this](const auto& holder) {
    output_->line("Waiting for another migration: the lock is held by " + holder.description);
    output_->event("waiting", {{"holder", holder.description}});
  };
  events.locked = [this](const auto& lock) {
    output_->line("Lock: " + lock);
    output_->event("locked", {{"lock", lock}});
  };
  events.batch = [this](const auto& table) { batch(table); };
  events.table = [this](const auto& table) {
    output_->line(table.table.name + ": " + counted(table.deleted, "row") + " deleted");
    output_->event("table", json_of(table));
  };
  return events;
}

void MigrateTierRollback::stays(const std::string& table, const tables::StayingRow& row) {
  const char* why = row.updated ? "was changed by the run" : "was changed by others since";
  const auto number = ++staying_[table];
  if (number <= most_shown) output_->line("Stays: " + table + " (" + row.key + ") " + why);
  if (number == most_shown + 1) {
    output_->line("Stays: more rows of " + table + ", which --json lists");
  }
  output_->event("stays", {{"table", table}, {"key", row.key}, {"updated_by_run", row.updated}});
}

void MigrateTierRollback::batch(const migration::TableRollback& table) {
  deleted_[table.table.name] = table.deleted;
  std::uint64_t deleted = 0;
  for (const auto& [name, rows] : deleted_) deleted += rows;
  output_->progress().step([&] {
    return Progress::State{deleted, to_delete_,
                           printable(table.table.name) + ", all " + std::to_string(deleted) + "/" +
                               std::to_string(to_delete_) + " rows",
                           0, "rows"};
  });
}

ExitStatus MigrateTierRollback::roll_back(migration::Rollback& rollback, const Call& call) {
  const auto& analysis = rollback.analyze(call);
  show(analysis);
  if (dry_run_) {
    output_->line("DRY-RUN COMPLETE (no data deleted). " + std::to_string(to_delete_) +
                  " total rows would be deleted.");
    output_->event("dry_run_complete", {{"ok", true}, {"rows", to_delete_}});
    return ExitStatus::done;
  }
  confirm(analysis);
  return finish(rollback.carry_out(call));
}

void MigrateTierRollback::show(const migration::RollbackAnalysis& analysis) {
  to_delete_ = analysis.to_delete();
  Json tables = Json::array();
  for (const auto& table : analysis.tables) {
    show_table(table);
    tables.push_back(json_of(table));
  }
  for (const auto& name : analysis.gone) output_->line("NOTE: the target has no table " + name);
  if (analysis.target.has_store) {
    output_->line("NOTE: Threads stay: `threadkeep threads delete` deletes them.");
  }
  output_->event("plan", {{"tables", tables}, {"gone", analysis.gone}, {"rows", to_delete_}});
}

void MigrateTierRollback::show_table(const migration::TableRollback& table) {
  const auto& found = table.found;
  std::string more;
  const auto add = [&](std::uint64_t number, const char* words) {
    if (number > 0) more += ", " + std::to_string(number) + words;
  };
  add(found.changed, " changed by others stay");
  add(found.gone, " gone already");
  add(found.updated, " that the run has changed stay");
  output_->line(table.table.name + ": " + counted(found.unchanged, "row") + " to delete" + more);
}

void MigrateTierRollback::confirm(const migration::RollbackAnalysis& analysis) const {
  if (yes_) return;
  const auto answer = ask("Delete " + counted(analysis.to_delete(), "row") + " from " +
                          printable(analysis.target.place) + "?");
  if (answer == Answer::yes) return;
  if (answer == Answer::no) throw Refusal{ExitStatus::usage, "declined", "nothing was deleted"};
  throw Refusal{ExitStatus::usage, "invalid_argument",
                "nothing was deleted: there is no terminal to ask on; say --yes"};
}

ExitStatus MigrateTierRollback::finish(const migration::RollbackAnalysis& analysis) {
  std::uint64_t deleted = 0;
  for (const auto& table : analysis.tables) deleted += table.deleted;
  const auto changed = analysis.changed();
  output_->line("COMPLETE. " + std::to_string(deleted) + " rows deleted" +
                (changed == 0 ? "" : "; " + counted(changed, "row") + " changed by others stay"));
  output_->event("complete",
                 {{"ok", changed == 0}, {"deleted", deleted}, {"changed_by_others", changed}});
  return changed == 0 ? ExitStatus::done : ExitStatus::failed;
}

}  // namespace threadkeep::cli
