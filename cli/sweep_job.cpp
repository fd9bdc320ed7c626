// SPDX-License-Identifier: Apache-2.0
#include "sweep_job.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <archive/new_file.hpp>
#include <array>
#include <cctype>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <threadkeep/error.hpp>
#include <utility>

#include "printable.hpp"

namespace threadkeep::cli {

namespace {

constexpr std::string_view plain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@=,+";

bool is_plain(const std::string& word) {
  return !word.empty() && word.find_first_not_of(plain) == std::string::npos;
}

// A line break would begin a line of its own, such as another job; cron and systemd have no way to
// write one.
void demand_printable(const std::string& word) {
  const auto controls = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::ranges::none_of(word, controls)) return;
  throw Error(Code::invalid_argument,
              "a schedule cannot hold control characters such as line breaks: " + printable(word));
}

// `word` between two `quote`, each character that stands in `specials` replaced by what follows it.
using Specials = std::vector<std::pair<char, const char*>>;
std::string quoted(const std::string& word, char quote, const Specials& specials) {
  if (is_plain(word)) return word;
  demand_printable(word);
  std::string text(1, quote);
  for (const char c : word) {
    const auto found = std::find_if(specials.begin(), specials.end(),
                                    [&](const auto& special) { return special.first == c; });
    text += found == specials.end() ? std::string(1, c) : found->second;
  }
  return text + quote;
}

// In crontab a % is the end of the command unless there is a backslash before it. What another
// backslash before that one does depends on the kind of cron.
std::string for_crontab(const std::string& word) {
  if (word.find('\\') != std::string::npos) {
    throw Error(Code::invalid_argument, "a crontab cannot hold a backslash: " + printable(word));
  }
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

// FNV-1a of 64 bits, which is the same in every release: units are found again by it.
std::string hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016" PRIx64, hash);
  return digits.data();
}

// A field of a cron expression: "*/15" is "0/15" to systemd.
std::string for_calendar(const std::string& field) {
  return field.starts_with("*/") ? "0" + field.substr(1) : field;
}

Error crontab_failed(const std::string& why) {
  return {Code::unavailable, "the program crontab failed: " + why};
}

// What a command of the shell prints, and whether it succeeds.
std::pair<std::string, bool> output_of(const char* command) {
  std::FILE* const pipe = ::popen(command, "r");
  if (pipe == nullptr) throw crontab_failed("it cannot be started");
  std::string text;
  std::array<char, 4096> part;
  while (const auto size = std::fread(part.data(), 1, part.size(), pipe)) {
    text.append(part.data(), size);
  }
  return {text, ::pclose(pipe) == 0};
}

// The crontab of this user, empty where there is none. What cannot be read must not be replaced,
// and what it says beside must not get in.
std::string read_crontab() {
  if (const auto [text, good] = output_of("crontab -l 2>/dev/null"); good) return text;
  const auto said = output_of("LC_ALL=C crontab -l 2>&1 >/dev/null").first;
  if (said.find("no crontab for") != std::string::npos) return {};
  throw crontab_failed(said);
}

void write_crontab(const std::string& text) {
  std::FILE* const pipe = ::popen("crontab -", "w");
  if (pipe == nullptr) throw crontab_failed("it cannot be started");
  std::fwrite(text.data(), 1, text.size(), pipe);
  if (::pclose(pipe) != 0) throw crontab_failed("it did not take the new crontab");
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  ops::NewFile file(path, true);
  file.write(text);
  file.finish();
}

}  // namespace

std::string SweepJob::crontab_line(const std::string& expression) const {
  return expression + " " + joined(command_, for_crontab);
}

std::string SweepJob::service() const {
  return "[Unit]\n"
         "Description=Sweeps old agent threads\n"
         "\n"
         "[Service]\n"
         "Type=oneshot\n"
         "ExecStart=" +
         joined(command_, for_systemd) + "\n";
}

std::string SweepJob::timer(const std::string& expression) {
  std::istringstream fields(expression);
  std::string minute;
  std::string hour;
  fields >> minute >> hour;
  return "[Timer]\n"
         "OnCalendar=*-*-* " +
         for_calendar(hour) + ":" + for_calendar(minute) +
         ":00\n"
         "Persistent=true\n"
         "\n"
         "[Install]\n"
         "WantedBy=timers.target\n";
}

std::string SweepJob::mark() const {
  return "# threadkeep retention " + joined(store_, for_crontab);
}

std::string SweepJob::rest_of(const std::string& crontab) const {
  std::istringstream lines(crontab);
  std::string rest;
  bool marked = false;
  for (std::string line; std::getline(lines, line);) {
    // Somebody may have moved the line away from its mark.
    const bool job = marked && line.find(" retention sweep ") != std::string::npos;
    marked = line == mark();
    if (!marked && !job) rest += line + "\n";
  }
  return rest;
}

void SweepJob::add_to_crontab(const std::string& expression) const {
  write_crontab(rest_of(read_crontab()) + mark() + "\n" + crontab_line(expression) + "\n");
}

bool SweepJob::remove_from_crontab() const {
  const std::string crontab = read_crontab();
  const std::string rest = rest_of(crontab);
  if (rest.size() >= crontab.size()) return false;
  write_crontab(rest);
  return true;
}

std::string SweepJob::unit_name() const {
  std::string name = "threadkeep-retention";
  std::string whole;
  for (const std::string& word : store_) {
    whole += word + '\0';
    name += '-';
    for (const char c : word.substr(word.starts_with("--") ? 2 : 0)) {
      const bool fits = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
      name += fits ? c : '-';
    }
  }
  // The names of files and of units have 255 characters at most, with what is added to them.
  return name.substr(0, 200) + "-" + hash_of(whole);
}

std::filesystem::path SweepJob::unit_directory() {
  if (::geteuid() == 0) return "/etc/systemd/system";
  if (const char* config = std::getenv("XDG_CONFIG_HOME")) {
    return std::filesystem::path(config) / "systemd/user";
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "." : home) / ".config/systemd/user";
}

std::string SweepJob::add_units(const std::filesystem::path& directory,
                                const std::string& expression) const {
  std::error_code later;  // by the first file
  std::filesystem::create_directories(directory, later);
  write_file(directory / (unit_name() + ".service"), service());
  write_file(directory / (unit_name() + ".timer"), timer(expression));
  const std::string systemctl = ::geteuid() == 0 ? "systemctl" : "systemctl --user";
  return systemctl + " daemon-reload && " + systemctl + " enable --now " + unit_name() + ".timer";
}

bool SweepJob::remove_units(const std::filesystem::path& directory) const {
  std::error_code none;
  const bool timer = std::filesystem::remove(directory / (unit_name() + ".timer"), none);
  return std::filesystem::remove(directory / (unit_name() + ".service"), none) || timer;
}

}  // namespace threadkeep::cli
