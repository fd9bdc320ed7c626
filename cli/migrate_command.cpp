// SPDX-License-Identifier: Apache-2.0
#include "migrate_command.hpp"

#include <cstdlib>
#include <iostream>
#include <migration/tier/words.hpp>
#include <sstream>

#include "config/text_file.hpp"
#include "duration_option.hpp"
#include "migrate_refusal.hpp"
#include "not_empty.hpp"
#include "printable.hpp"
#include "terminal.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* migrate_description =
    "Copies all data of an application to another tier: its tables, and its threads.\n"
    "\n"
    "local is a SQLite file or PGlite, standalone is Postgres, federated is Postgres with "
    "pgvector.\n"
    "The tables must exist in the target. Rows are read from one snapshot of the source, in an "
    "order\n"
    "that foreign keys allow, and compared with the target's at the end. A migration that was\n"
    "interrupted is gone on with by the same command. Stop the application meanwhile.";

constexpr const char* migrate_examples =
    "Examples:\n"
    "  threadkeep migrate-tier --from sqlite:app.db --to standalone \\\n"
    "    --target-url postgresql:///app --dry-run\n"
    "  threadkeep migrate-tier --from postgresql:///app --to federated \\\n"
    "    --target-url postgresql://db.example/app --yes";

constexpr const char* migrate_exit_status =
    "0 done, 1 rows were rejected or the target refuses, 2 refused or wrong usage,\n"
    "3 interrupted: the same command goes on, 4 the source could not be read,\n"
    "5 source and target differ.";

constexpr const char* verify_description =
    "Compares the data of an application in two tiers, and changes nothing.\n"
    "\n"
    "Each row of the source is compared with the target's, and the other way round. Also told are\n"
    "rows that refer to nothing, and sequences that would give a number which is taken.";

constexpr const char* verify_examples =
    "Example:\n"
    "  threadkeep migrate-tier verify --from sqlite:app.db --to standalone \\\n"
    "    --target-url postgresql:///app";

constexpr const char* verify_exit_status =
    "0 equal, 2 refused or wrong usage, 3 the target could not be read, 4 the source could\n"
    "not be read, 5 source and target differ.";

Refusal refuse(const std::string& message) {
  return {ExitStatus::usage, "invalid_argument", message};
}

// What the run did, as numbers that the next one replaces.
void tell(const migration::MigrateReport& report) {
  tables::Counts all;
  for (const auto& table : report.run.tables) {
    if (table.pass == 1) all += table.counts;
  }
  const auto set = [](const char* outcome, std::uint64_t rows) {
    Metrics::process()
        ->gauge("threadkeep_migration_rows", "Rows of tables, by what became of them.",
                {{"outcome", outcome}})
        .set(static_cast<std::int64_t>(rows));
  };
  set("inserted", all.inserted);
  set("updated", all.updated);
  set("unchanged", all.unchanged);
  set("newer", all.kept);
  set("rejected", report.rejected);
}

// The others were copied or compared.
void refuse_unreadable(std::uint64_t threads) {
  if (threads == 0) return;
  throw Refusal{ExitStatus::source_failed, std::string(to_string(Code::corrupt)),
                "the source cannot be read: " + migration::counted(threads, "thread") +
                    " told above; mend or delete them there, then run the same command"};
}

}  // namespace

TierCommand::TierCommand(CLI::App& parent, const std::string& name, const std::string& description,
                         const std::string& examples, const std::string& exit_status)
    : StoreCommand(parent, name, description, examples, exit_status) {
  default_timeout(std::chrono::hours(24));
  json_flag()->description("Report by JSON, an event in each line");
  name_url("--from", "The source; the same as --url");
  options()
      .add_option("--to", to_, "The tier of the target")
      ->check(CLI::IsMember({"local", "standalone", "federated"}).description(""))
      ->type_name("local|standalone|federated");
  options().add_option("--target-url", target_url_,
                       "The target; THREADKEEP_TARGET_URL if not given");
  options()
      .add_option("--skip", skip_.skip, "Leave this TABLE or TABLE.COLUMN behind; may be repeated")
      ->check(not_empty());
  options()
      .add_option("--without-expired", skip_.without_expired,
                  "Leave rows of this table behind whose expires_at has passed; may be repeated")
      ->check(not_empty());
  options().add_flag("--include-credentials", skip_.include_credentials,
                     "Copy tables of credentials too");
  options()
      .add_option("--batch-rows", limits_.rows, "Rows of a batch, 50000 if not given")
      ->check(CLI::Range(1, 1'000'000).description(""));
  options()
      .add_option("--batch-bytes", limits_.bytes, "Bytes of a batch, 8388608 if not given")
      ->check(CLI::Range(1024, 256 << 20).description(""));
}

std::string TierCommand::target_url() const {
  if (!target_url_.empty()) return target_url_;
  const char* variable = std::getenv("THREADKEEP_TARGET_URL");
  if (variable != nullptr && *variable != '\0') return variable;
  throw refuse("where to? Say --target-url URL, or set THREADKEEP_TARGET_URL");
}

migration::MigrateOptions TierCommand::migrate_options() const {
  const auto tier = migration::tier_named(to_);
  if (!tier) throw refuse("which tier? Say --to local, standalone or federated");
  migration::MigrateOptions options;
  options.to = *tier;
  options.plan.skip = skip_;
  options.limits = limits_;
  return options;
}

migration::MigrateEvents TierCommand::events() {
  migration::MigrateEvents events;
  events.source = [this](const auto& info) { output_->source(info); };
  events.target = [this](const auto& info) { output_->target(info); };
  events.verifying = [this] { output_->verifying(); };
  events.verdict = [this](const auto& verdict) { output_->verdict(verdict); };
  events.store = [this](const auto& report) { output_->store(report); };
  events.store_problem = [this](const auto& problem) { output_->store_problem(problem); };
  events.store_progress = [this](const auto& progress) { output_->store_progress(progress); };
  return events;
}

ExitStatus TierCommand::execute() {
  const auto wanted = migrate_options();
  output_.emplace(json(), wanted.to);
  return or_refusal("nothing was migrated", [&] {
    const Call limits = call();
    migration::Migration migration(url(), target_url(), wanted, events(), limits);
    return run_on(migration, limits);
  });
}

MigrateTier::MigrateTier(CLI::App& app)
    : TierCommand(app, "migrate-tier", migrate_description, migrate_examples, migrate_exit_status),
      metrics_(options(), "migrate-tier") {
  options().add_flag("--dry-run", dry_run_, "Say what would be done, change nothing");
  options().add_flag("--yes", yes_, "Do not ask");
  options().add_flag("--allow-non-empty", allow_non_empty_,
                     "Bring rows that the target has up to date, unless they are newer");
  options().add_flag("--new-run", new_run_, "Give up a run that was interrupted, and begin anew");
  options().add_flag(
      "--row-log", row_log_,
      "Note each row that is written, so that `migrate-tier rollback` can delete it");
  options()
      .add_option(
          "--order", order_,
          "A file with the names of tables, one a line, in the order to copy them, instead of "
          "migrate: order: in threadkeep.yaml")
      ->type_name("FILE")
      ->check(not_empty());
  options()
      .add_option("--jobs", jobs_,
                  "Tables to copy at the same time, 1 if not given; between Postgres servers")
      ->check(CLI::Range(1, 64).description(""));
  options().add_option("--max-errors", max_errors_,
                       "Go on until more rows than this are rejected, 0 if not given");
  options()
      .add_option("--reject-file", reject_file_, "Write rejected rows to this file")
      ->type_name("FILE")
      ->check(not_empty());
  add_duration(options(), "--lock-timeout", lock_timeout_,
               "How long to wait for another migration, 1m if not given");
  options().add_flag("--no-wait", no_wait_, "Do not wait for another migration");
}

migration::MigrateOptions MigrateTier::migrate_options() const {
  auto wanted = TierCommand::migrate_options();
  wanted.plan.order = read_order();
  wanted.plan.row_log = row_log_;
  wanted.allow_non_empty = allow_non_empty_;
  wanted.new_run = new_run_;
  wanted.max_errors = max_errors_;
  wanted.jobs = jobs_;
  wanted.lock_patience = std::chrono::milliseconds(no_wait_ ? 0 : lock_timeout_);
  return wanted;
}

std::string MigrateTier::text_of_order() const {
  try {
    std::string text = ops::read_text_file(order_, "the order of tables");
    ops::check_text(text, order_);
    return text;
  } catch (const Error& error) {
    throw refuse(printable(error.message()));
  }
}

// Empty lines and what follows a # say nothing.
std::vector<std::string> MigrateTier::read_order() const {
  std::vector<std::string> tables;
  if (order_.empty()) return choice().migrate().order;
  const std::string text = text_of_order();
  std::istringstream file(text);
  for (std::string line; std::getline(file, line);) {
    line.erase(std::min(line.find('#'), line.size()));
    const auto end = line.find_last_not_of(" \t\r");
    if (end == std::string::npos) continue;
    line.erase(end + 1);
    tables.push_back(line.substr(line.find_first_not_of(" \t")));
  }
  return tables;
}

migration::MigrateEvents MigrateTier::events() {
  auto events = TierCommand::events();
  events.waiting = [this](const auto& holder) { output().waiting(holder); };
  events.locked = [this](const auto& lock) { output().locked(lock); };
  events.run = [this](const auto& run, bool resumed) { output().run(run, resumed); };
  events.sequences = [this](auto moved) { output().sequences(moved); };
  events.again = [this](const auto& tables) { output().again(tables); };
  events.copy.batch = [this](const auto& table, auto rows, auto bytes) {
    output().batch(table, rows, bytes);
  };
  events.copy.table = [this](const auto& table, const auto& counts) {
    output().table(table, counts);
  };
  events.copy.links = [this](const auto& table, const auto& counts) {
    output().links(table, counts);
  };
  events.copy.reject = [this](const auto& reject, const auto& pass) {
    output().reject(reject, pass);
  };
  return events;
}

ExitStatus MigrateTier::execute() {
  if (dry_run_) return TierCommand::execute();
  metrics_.begin();
  ExitStatus status{};
  try {
    status = TierCommand::execute();
  } catch (...) {
    metrics_.failed();
    throw;
  }
  status == ExitStatus::done ? metrics_.succeeded() : metrics_.failed();
  return status;
}

ExitStatus MigrateTier::run_on(migration::Migration& migration, const Call& call) {
  const auto& analysis = migration.analyze(call);
  output().plan(analysis, dry_run_);
  if (dry_run_) {
    output().dry_run_complete(analysis);
    return ExitStatus::done;
  }
  confirm(analysis);
  return carry_out(migration, call);
}

void MigrateTier::confirm(const migration::Analysis& analysis) const {
  if (yes_) return;
  const auto answer = ask("Migrate " + migration::counted(analysis.row_count(), "row") + " to " +
                          printable(analysis.target.place) + "?");
  if (answer == Answer::yes) return;
  if (answer == Answer::no) throw Refusal{ExitStatus::usage, "declined", "nothing was migrated"};
  throw refuse("nothing was migrated: there is no terminal to ask on; say --yes");
}

migration::MigrateReport MigrateTier::copy(migration::Migration& migration, const Call& call) {
  try {
    return migration.carry_out(call);
  } catch (const migration::TooManyRejects& error) {
    throw Refusal{ExitStatus::failed, "rejected",
                  error.message() + "; rejected rows are in " + output().reject_path() +
                      "; mend them in the source or say --max-errors N, and run the same command"};
  }
}

ExitStatus MigrateTier::carry_out(migration::Migration& migration, const Call& call) {
  output().reject_to(reject_file_);
  const auto report = copy(migration, call);
  tell(report);
  output().verified(report.verification, report.compared_store, report.counts());
  refuse_unreadable(report.unreadable());
  if (!report.holds()) {
    throw Refusal{ExitStatus::differs, "differs",
                  "source and target differ; stop what writes to them and run the same command, "
                  "which copies these tables again"};
  }
  output().finished(report);
  const bool threads_ok = !report.store || report.store->ok();
  return report.rejected == 0 && threads_ok ? ExitStatus::done : ExitStatus::failed;
}

MigrateTierVerify::MigrateTierVerify(CLI::App& migrate_tier)
    : TierCommand(migrate_tier, "verify", verify_description, verify_examples, verify_exit_status) {
}

ExitStatus MigrateTierVerify::run_on(migration::Migration& migration, const Call& call) {
  migration.analyze_for_verification(call);
  const auto found = migration.verify(call);
  output().verified(found.tables, found.store);
  if (found.store) refuse_unreadable(found.store->unreadable);
  return found.holds() ? ExitStatus::done : ExitStatus::differs;
}

}  // namespace threadkeep::cli
