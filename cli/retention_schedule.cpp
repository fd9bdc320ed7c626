// SPDX-License-Identifier: Apache-2.0
#include "retention_schedule.hpp"

#include <archive/archive_directory.hpp>
#include <filesystem>
#include <iostream>
#include <utility>

#include "duration_option.hpp"
#include "not_empty.hpp"
#include "sweep_job.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* schedule_description =
    "Lets pg_cron sweep, or prints or installs what cron and systemd need for it.\n"
    "\n"
    "pg_cron does where that extension is installed in the store's database, as the role of this\n"
    "command. Elsewhere nothing is changed without --install, which adds a line to the crontab of\n"
    "this user or writes two units of systemd, in the place of those that it installed before.";

constexpr const char* schedule_examples =
    "Examples:\n"
    "  threadkeep retention schedule --every 15m --store prod\n"
    "  threadkeep retention schedule --every 1d --store prod\n"
    "  threadkeep retention schedule --every 1d --archive /var/backups/agents --install crontab "
    "--store prod";

constexpr const char* unschedule_description =
    "Takes away what `schedule` has given to pg_cron, or with --from what it has installed.\n"
    "\n"
    "What others wrote into crontab or for systemd stays.";

constexpr const char* unschedule_examples =
    "Examples:\n"
    "  threadkeep retention unschedule --store prod\n"
    "  threadkeep retention unschedule --from crontab --store prod";

SweepJob job_of(const StoreChoice& choice, const std::string& archive) {
  const auto store = choice.arguments();
  std::vector<std::string> words = {std::filesystem::read_symlink("/proc/self/exe"), "retention",
                                    "sweep", "--yes"};
  words.insert(words.end(), store.begin(), store.end());
  if (!archive.empty()) {
    words.insert(words.end(), {"--archive", std::filesystem::absolute(archive)});
  }
  return {store, std::move(words)};
}

}  // namespace

RetentionSchedule::RetentionSchedule(CLI::App& parent)
    : RetentionCommand(parent, "schedule", schedule_description, schedule_examples) {
  add_duration(options(), "--every", every_,
               "Minutes that divide the hour, hours that divide the day, or 1d; 15m if not given");
  options()
      .add_option("--archive", archive_,
                  "Let the sweeps write threads to this directory before they delete them")
      ->check(not_empty());
  auto* install =
      options()
          .add_option("--install", install_,
                      "Put the line into the crontab of this user, or write the units of systemd")
          ->check(CLI::IsMember({"crontab", "systemd"}).description(""))
          ->type_name("crontab|systemd");
  options()
      .add_option("--unit-directory", unit_directory_,
                  "Where the units go, if not where systemd looks for those of this user")
      ->check(not_empty())
      ->needs(install);
}

ExitStatus RetentionSchedule::execute() {
  const auto every =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::milliseconds(every_));
  const auto expression = retention::cron_expression(every);
  if (!expression) {
    throw Refusal{ExitStatus::usage, "invalid_argument",
                  "--every must be minutes that divide the hour, hours that divide the day, or 1d"};
  }
  const Call limits = call();
  // To be told here that retention is not installed.
  if (retention().archive_required(limits) && archive_.empty()) {
    throw Refusal{ExitStatus::failed, "denied",
                  "nothing may go from this store without an archive: say --archive DIRECTORY"};
  }
  // Tried out as a sweep does it, which nobody would watch.
  if (!archive_.empty()) ops::ArchiveDirectory(opened_store(), archive_);
  if (!install_.empty()) return install(*expression);
  if (postgres() == nullptr) return print_instead(*expression, "a program has to sweep this store");
  if (!archive_.empty()) return print_instead(*expression, "pg_cron writes no archives");
  if (!postgres()->has_cron(limits)) {
    return print_instead(*expression, "pg_cron is not installed in this database");
  }
  postgres()->schedule(every, limits);
  return succeed("pg_cron sweeps " + store_name() + " at " + *expression,
                 {{"scheduled", true}, {"schedule", *expression}});
}

ExitStatus RetentionSchedule::install(const std::string& expression) {
  const SweepJob job = job_of(choice(), archive_);
  if (install_ == "crontab") {
    job.add_to_crontab(expression);
    return succeed("cron sweeps " + store_name() + " at " + expression,
                   {{"scheduled", true}, {"schedule", expression}});
  }
  const auto directory =
      unit_directory_.empty() ? SweepJob::unit_directory() : std::filesystem::path(unit_directory_);
  const std::string start = job.add_units(directory, expression);
  return succeed(
      "wrote " + (directory / job.unit_name()).string() + ".timer; start it by: " + start,
      {{"scheduled", false}, {"start", start}});
}

ExitStatus RetentionSchedule::print_instead(const std::string& expression,
                                            const std::string& reason) const {
  const SweepJob job = job_of(choice(), archive_);
  const std::string crontab = job.crontab_line(expression);
  const std::string timer = SweepJob::timer(expression);
  if (json()) {
    return succeed(
        "nothing is scheduled: " + reason,
        {{"scheduled", false}, {"crontab", crontab}, {"service", job.service()}, {"timer", timer}});
  }
  std::cerr << "threadkeep: nothing is scheduled yet: " << reason << "\n";
  const std::string unit = "/etc/systemd/system/" + job.unit_name();
  std::cout << "# A line for `crontab -e` (--install crontab puts it there), or:\n"
            << crontab << "\n\n# " << unit << ".service (--install systemd)\n"
            << job.service() << "\n# " << unit << ".timer, to be started by\n"
            << "# systemctl enable --now " << job.unit_name() << ".timer\n"
            << timer;
  return ExitStatus::done;
}

RetentionUnschedule::RetentionUnschedule(CLI::App& parent)
    : RetentionCommand(parent, "unschedule", unschedule_description, unschedule_examples) {
  options()
      .add_option("--from", from_, "Take away what `schedule --install` has installed instead")
      ->check(CLI::IsMember({"crontab", "systemd"}).description(""))
      ->type_name("crontab|systemd");
  options()
      .add_option("--unit-directory", unit_directory_,
                  "Where the units are, if not where systemd looks for those of this user")
      ->check(not_empty());
}

ExitStatus RetentionUnschedule::execute() {
  if (!from_.empty()) return uninstall();
  retention::PostgresRetention* const server = postgres();
  const bool changed = server != nullptr && server->unschedule(call());
  const char* const nothing = server == nullptr ? "nothing sweeps this store but lines of crontab "
                                                  "and units of systemd; see --from"
                                                : "pg_cron has no schedule of this role";
  return succeed(changed ? "pg_cron sweeps " + store_name() + " no more" : nothing,
                 {{"changed", changed}});
}

ExitStatus RetentionUnschedule::uninstall() const {
  const SweepJob job = job_of(choice(), "");
  if (from_ == "crontab") {
    const bool changed = job.remove_from_crontab();
    return succeed(changed ? "cron sweeps " + store_name() + " no more"
                           : "the crontab of this user has no line for " + store_name(),
                   {{"changed", changed}});
  }
  const auto directory =
      unit_directory_.empty() ? SweepJob::unit_directory() : std::filesystem::path(unit_directory_);
  const bool changed = job.remove_units(directory);
  return succeed(changed ? "deleted the units; a timer that runs ends with `systemctl stop " +
                               job.unit_name() + ".timer`"
                         : "there are no units for " + store_name() + " in " + directory.string(),
                 {{"changed", changed}});
}

}  // namespace threadkeep::cli
