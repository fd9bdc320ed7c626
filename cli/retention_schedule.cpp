// SPDX-License-Identifier: Apache-2.0
#include "retention_schedule.hpp"

#include <filesystem>
#include <iostream>

#include "duration_option.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* schedule_description =
    "Lets pg_cron sweep, or prints what cron and systemd need for it.\n"
    "\n"
    "pg_cron does where that extension is installed in the store's database, as the role of this\n"
    "command. Elsewhere nothing is changed, and the lines are for somebody to install.";

constexpr const char* schedule_examples =
    "Examples:\n"
    "  threadkeep retention schedule --every 15m --store prod\n"
    "  threadkeep retention schedule --every 1d --store prod";

constexpr const char* unschedule_description =
    "Takes away what `schedule` has given to pg_cron.\n"
    "\n"
    "Lines in crontab and units of systemd are for those to remove who installed them.";

constexpr const char* unschedule_examples =
    "Example:\n"
    "  threadkeep retention unschedule --store prod";

constexpr std::string_view plain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@=,+";

bool is_plain(const std::string& word) {
  return !word.empty() && word.find_first_not_of(plain) == std::string::npos;
}

// `word` between two `quote`, each character that stands in `specials` replaced by what follows it.
using Specials = std::vector<std::pair<char, const char*>>;
std::string quoted(const std::string& word, char quote, const Specials& specials) {
  if (is_plain(word)) return word;
  std::string text(1, quote);
  for (const char c : word) {
    const auto found = std::find_if(specials.begin(), specials.end(),
                                    [&](const auto& special) { return special.first == c; });
    text += found == specials.end() ? std::string(1, c) : found->second;
  }
  return text + quote;
}

// In crontab a % is the end of the command.
std::string for_crontab(const std::string& word) {
  return quoted(word, '\'', {{'\'', "'\\''"}, {'%', "\\%"}});
}

std::string for_systemd(const std::string& word) {
  return quoted(word, '"', {{'"', "\\\""}, {'\\', "\\\\"}, {'%', "%%"}, {'$', "$$"}});
}

std::string joined(const std::vector<std::string>& words,
                   std::string (*written)(const std::string&)) {
  std::string all;
  for (const auto& word : words) all += (all.empty() ? "" : " ") + written(word);
  return all;
}

std::vector<std::string> sweep_command(const StoreChoice& choice) {
  std::vector<std::string> words = {std::filesystem::read_symlink("/proc/self/exe"), "retention",
                                    "sweep", "--yes"};
  for (auto& word : choice.arguments()) words.push_back(std::move(word));
  return words;
}

}  // namespace

RetentionSchedule::RetentionSchedule(CLI::App& parent)
    : RetentionCommand(parent, "schedule", schedule_description, schedule_examples) {
  add_duration(options(), "--every", every_,
               "Minutes that divide the hour, hours that divide the day, or 1d; 15m if not given");
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
  retention().policies(limits);  // to be told here that retention is not installed
  if (postgres() == nullptr) return print_instead(*expression, "a program has to sweep this store");
  if (!postgres()->has_cron(limits)) {
    return print_instead(*expression, "pg_cron is not installed in this database");
  }
  postgres()->schedule(every, limits);
  return succeed("pg_cron sweeps " + store_name() + " at " + *expression,
                 {{"scheduled", true}, {"schedule", *expression}});
}

ExitStatus RetentionSchedule::print_instead(const std::string& expression,
                                            const std::string& reason) const {
  const auto command = sweep_command(choice());
  const std::string crontab = expression + " " + joined(command, for_crontab);
  const std::string service =
      "[Unit]\n"
      "Description=Sweeps old agent threads\n"
      "\n"
      "[Service]\n"
      "Type=oneshot\n"
      "ExecStart=" +
      joined(command, for_systemd) + "\n";
  const std::string seconds = std::to_string(every_ / 1000) + "s";
  const std::string timer =
      "[Timer]\n"
      "OnActiveSec=" +
      seconds + "\nOnUnitActiveSec=" + seconds +
      "\n"
      "\n"
      "[Install]\n"
      "WantedBy=timers.target\n";
  if (json()) {
    return succeed(
        "nothing is scheduled: " + reason,
        {{"scheduled", false}, {"crontab", crontab}, {"service", service}, {"timer", timer}});
  }
  std::cerr << "threadkeep: nothing is scheduled yet: " << reason << "\n";
  std::cout << "# A line for `crontab -e`, or:\n"
            << crontab << "\n\n# /etc/systemd/system/threadkeep-retention.service\n"
            << service << "\n# /etc/systemd/system/threadkeep-retention.timer, to be started by\n"
            << "# systemctl enable --now threadkeep-retention.timer\n"
            << timer;
  return ExitStatus::done;
}

RetentionUnschedule::RetentionUnschedule(CLI::App& parent)
    : RetentionCommand(parent, "unschedule", unschedule_description, unschedule_examples) {}

ExitStatus RetentionUnschedule::execute() {
  retention::PostgresRetention* const server = postgres();
  const bool changed = server != nullptr && server->unschedule(call());
  const char* const nothing = server == nullptr ? "nothing sweeps this store but lines of crontab "
                                                  "and units of systemd; see `schedule`"
                                                : "pg_cron has no schedule of this role";
  return succeed(changed ? "pg_cron sweeps " + store_name() + " no more" : nothing,
                 {{"changed", changed}});
}

}  // namespace threadkeep::cli
