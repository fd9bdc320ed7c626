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

Finding good(std::string text) {
  return {Level::good, "policies", std::move(text), ""};
}

// "free (idle 7d, threads chat-*), rest (keep_last 3)"
std::string text_of(const std::vector<retention::Policy>& policies) {
  std::string text;
  for (const auto& policy : policies) {
    std::string rules;
    const auto add = [&](const std::string& rule) { rules += (rules.empty() ? "" : ", ") + rule; };
    if (policy.idle.count() > 0) add("idle " + retention::format_duration(policy.idle));
    if (policy.age.count() > 0) add("age " + retention::format_duration(policy.age));
    if (policy.keep_last > 0) add("keep_last " + std::to_string(policy.keep_last));
    if (policy.threads != "*") add("threads " + policy.threads);
    if (!policy.metadata.empty()) add("by metadata");
    text += (text.empty() ? "" : ", ") + policy.name + " (" + rules + ")";
  }
  return text;
}

void print_json(const Findings& findings, const std::vector<retention::Policy>& policies) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"level", name_of(finding.level)},
                    {"subject", finding.subject},
                    {"text", finding.text},
                    {"remedy", finding.remedy}});
  }
  const Json result = {{"ok", count(findings, Level::problem) == 0},
                       {"findings", list},
                       {"policies", Json::parse(to_json(policies))}};
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

DoctorCommand::DoctorCommand(CLI::App& app)
    : RetentionCommand(app, "doctor", description, examples) {}

Finding DoctorCommand::without_retention(const std::string& why) const {
  if (!choice().retention()) return good(why);
  return {Level::warning, "policies",
          "those of the configuration file are not in the store: " + why,
          "threadkeep retention apply stores them"};
}

Finding DoctorCommand::examine_policies(const Call& call) {
  try {
    const Stored stored = this->stored(call);
    policies_ = stored.policies;
    std::string text =
        policies_.empty() ? "none is stored, so nothing goes by its age" : text_of(policies_);
    if (stored.archive_required) text += "; nothing may go without an archive";
    if (stored.as_in_file.value_or(true)) return good(text);
    return {Level::warning, "policies", text + "; the configuration file has others",
            "threadkeep retention apply stores those of the file"};
  } catch (const Error& error) {
    if (error.code() == Code::unsupported) return without_retention(error.message());
    return {Level::warning, "policies", "not examined: " + error.message(), "try again"};
  }
}

ExitStatus DoctorCommand::execute() {
  Findings findings = {{Level::good, "address", store_name(), ""}};
  const Call limits = call();
  std::ranges::move(opened_store().examine(limits), std::back_inserter(findings));
  if (count(findings, Level::problem) == 0) findings.push_back(examine_policies(limits));
  const auto problems = count(findings, Level::problem);
  if (json()) {
    print_json(findings, policies_);
  } else {
    print(findings);
  }
  return problems == 0 ? ExitStatus::done : ExitStatus::failed;
}

}  // namespace threadkeep::cli
