// SPDX-License-Identifier: Apache-2.0
#include "doctor_command.hpp"

#include <algorithm>
#include <iostream>
#include <iterator>

#include "json_output.hpp"
#include "printable.hpp"
#include "terminal.hpp"

namespace threadkeep::cli {

namespace {

using Level = Finding::Level;
using Findings = std::vector<Finding>;

constexpr const char* description =
    "Looks for what may fail in a store or lose data, and says what to do.\n"
    "\n"
    "Changes nothing. On SQLite it reads the whole file.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep doctor --url sqlite:agent.db\n"
    "  threadkeep doctor --url redis://cache.example --json\n"
    "\n"
    "Each line begins with ok, warning or problem. A problem makes the exit status 1.";

const char* name_of(Level level) {
  switch (level) {
    case Level::good:
      return "ok";
    case Level::warning:
      return "warning";
    case Level::problem:
      return "problem";
  }
  return "";
}

std::size_t count(const Findings& findings, Level level) {
  return static_cast<std::size_t>(std::count_if(
      findings.begin(), findings.end(), [&](const auto& each) { return each.level == level; }));
}

void print_json(const Findings& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"level", name_of(finding.level)},
                    {"subject", finding.subject},
                    {"text", finding.text},
                    {"remedy", finding.remedy}});
  }
  const Json result = {{"ok", count(findings, Level::problem) == 0}, {"findings", list}};
  std::cout << json_text(result) << "\n";
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

void print(const Findings& findings) {
  constexpr std::size_t level_width = 9;
  constexpr std::size_t subject_width = 13;
  for (const Finding& finding : findings) {
    const std::string level = padded(name_of(finding.level), level_width);
    std::cout << (finding.level == Level::good ? faint(level) : bold(level))
              << padded(finding.subject, subject_width) << printable(finding.text) << "\n";
    if (finding.remedy.empty()) continue;
    std::cout << std::string(level_width + subject_width, ' ') << "-> " << printable(finding.remedy)
              << "\n";
  }
}

}  // namespace

DoctorCommand::DoctorCommand(CLI::App& app) : StoreCommand(app, "doctor", description, examples) {}

ExitStatus DoctorCommand::execute() {
  Findings findings = {{Level::good, "address", store_name(), ""}};
  std::ranges::move(open_store()->examine(call()), std::back_inserter(findings));
  const auto problems = count(findings, Level::problem);
  if (json()) {
    print_json(findings);
  } else {
    print(findings);
  }
  return problems == 0 ? ExitStatus::done : ExitStatus::failed;
}

}  // namespace threadkeep::cli
