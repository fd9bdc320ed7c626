// SPDX-License-Identifier: Apache-2.0
#include "retention_reports.hpp"

#include <iostream>

#include "checkpoint_view.hpp"
#include "printable.hpp"
#include "terminal.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* status_description =
    "Shows the policies that are stored, what pg_cron does, and the last sweeps.";

constexpr const char* status_examples =
    "Examples:\n"
    "  threadkeep retention status --store prod\n"
    "  threadkeep retention status --runs 100 --json --store prod";

constexpr const char* audit_description =
    "Lists what was deleted and ordered, the newest first.\n"
    "\n"
    "These are the batches of sweeps by policy and reason, and every pin, hold and change of\n"
    "policies, with the role that did it. With --expiry it looks instead for threads that should\n"
    "expire without a sweep and do not: on Redis, where the URL has a ttl.";

constexpr const char* audit_examples =
    "Examples:\n"
    "  threadkeep retention audit --store prod\n"
    "  threadkeep retention audit --all --json --store prod\n"
    "  threadkeep retention audit --expiry --store prod";

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string count(std::uint64_t number) {
  return number == 0 ? "-" : std::to_string(number);
}

// "0.4s", "75s".
std::string duration_text(const retention::Run& run) {
  if (!run.finished_at) return "-";
  const auto tenths = (*run.finished_at - run.started_at) / 100'000;
  if (tenths >= 100) return std::to_string(tenths / 10) + "s";
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "s";
}

std::string time_text_of(std::chrono::seconds time) {
  return time.count() == 0 ? "ever" : retention::format_duration(time);
}

Json json_of(const retention::Run& run) {
  return {{"run", run.run},
          {"kind", run.kind},
          {"state", run.state},
          {"who", run.who},
          {"started_at", run.started_at},
          {"finished_at", run.finished_at ? Json(*run.finished_at) : Json()},
          {"error", run.error},
          {"threads", run.swept.threads},
          {"checkpoints", run.swept.checkpoints},
          {"writes", run.swept.writes},
          {"bytes", run.swept.bytes},
          {"busy", run.swept.busy},
          {"collected", run.swept.collected},
          {"tombstones", run.swept.tombstones},
          {"notes", run.swept.notes}};
}

Json json_of(const std::optional<retention::Job>& job) {
  if (!job) return {};
  return {{"schedule", job->schedule},
          {"last_status", job->last_status},
          {"last_message", job->last_message}};
}

// Prints the state of retention for people.
class Report {
 public:
  Report(const std::vector<retention::Policy>& policies, std::optional<bool> same)
      : policies_(policies), same_(same) {}

  void print_policies() const {
    if (policies_.empty()) std::cout << no_policies << "\n";
    if (!same_.value_or(true)) {
      std::cout
          << "the file has other policies than the store; `threadkeep retention apply` stores "
             "them\n";
    }
    if (policies_.empty()) return;
    Table table({"POLICY", "IDLE", "AGE", "KEEP LAST", "THREADS"});
    for (const auto& policy : policies_) {
      table.add({policy.name, retention::format_duration(policy.idle),
                 retention::format_duration(policy.age),
                 policy.keep_last == 0 ? "off" : std::to_string(policy.keep_last),
                 policy.threads + (policy.metadata.empty() ? "" : ", by metadata")});
    }
    table.print(std::cout, terminal_width());
  }

  static void print_keep_times(const retention::KeepTimes& keep) {
    std::cout << "\ntombstones stay for " << time_text_of(keep.tombstones) << ", the audit for "
              << time_text_of(keep.audit) << "\n";
  }

  static void print_job(const std::optional<retention::Job>& job) {
    if (!job) {
      std::cout << "\npg_cron has no schedule of this role\n";
      return;
    }
    std::cout << "\npg_cron sweeps at " << printable(job->schedule);
    if (!job->last_status.empty()) std::cout << ", the last time: " << printable(job->last_status);
    std::cout << "\n";
    if (job->last_status == "failed") print_lines(std::cout, job->last_message);
  }

  static void print_runs(const std::vector<retention::Run>& runs) {
    if (runs.empty()) {
      std::cout << "\nno sweep has run\n";
      return;
    }
    Table table({"RUN", "STATE", "STARTED", "TOOK", "THREADS", "CHECKPOINTS", "BYTES", "BUSY",
                 "COLLECTED", "WHO", "ERROR"});
    for (const auto& run : runs) {
      table.add({std::to_string(run.run), run.state, time_text(run.started_at), duration_text(run),
                 count(run.swept.threads), count(run.swept.checkpoints), size_text(run.swept.bytes),
                 count(run.swept.busy), count(run.swept.collected), run.who, or_dash(run.error)});
    }
    std::cout << "\n";
    table.print(std::cout, terminal_width());
  }

 private:
  const std::vector<retention::Policy>& policies_;
  const std::optional<bool> same_;
};

Json entry_json(const retention::AuditEntry& entry) {
  return {{"id", entry.id},
          {"at", entry.at},
          {"who", entry.who},
          {"action", entry.action},
          {"policy", entry.policy},
          {"reason", entry.reason},
          {"thread_id", entry.thread_id},
          {"run", entry.run},
          {"threads", entry.threads},
          {"checkpoints", entry.checkpoints},
          {"writes", entry.writes},
          {"blobs", entry.blobs},
          {"bytes", entry.bytes}};
}

std::vector<std::string> entry_row(const retention::AuditEntry& entry) {
  return {time_text(entry.at),
          entry.who,
          entry.action,
          or_dash(entry.reason),
          count(entry.threads),
          count(entry.checkpoints),
          count(entry.writes),
          count(entry.blobs),
          or_dash(entry.thread_id),
          or_dash(entry.policy)};
}

const ListingForm<retention::AuditEntry> audit_form = {
    "entries",
    entry_json,
    {"AT", "WHO", "ACTION", "REASON", "THREADS", "CHECKPOINTS", "WRITES", "VALUES", "THREAD",
     "POLICY"},
    entry_row};

}  // namespace

RetentionStatus::RetentionStatus(CLI::App& parent)
    : RetentionCommand(parent, "status", status_description, status_examples) {
  options().add_option("--runs", runs_, "How many of the last sweeps, 10 if not given");
}

ExitStatus RetentionStatus::execute() {
  const Call limits = call();
  const Stored rules = stored(limits);
  const auto same = rules.as_in_file;
  const auto job = postgres() ? postgres()->scheduled(limits) : std::nullopt;
  const auto runs = retention().runs(runs_, limits);
  if (json()) {
    Json list = Json::array();
    for (const auto& run : runs) list.push_back(json_of(run));
    std::cout << json_text({{"policies", Json::parse(to_json(rules.policies))},
                            {"keep", keep_json(rules.keep)},
                            {"as_in_file", same ? Json(*same) : Json()},
                            {"archive", rules.archive_required ? "required" : "optional"},
                            {"schedule", json_of(job)},
                            {"runs", list}})
              << "\n";
    return ExitStatus::done;
  }
  Report(rules.policies, same).print_policies();
  Report::print_keep_times(rules.keep);
  print_archive_required(rules.archive_required);
  if (postgres()) Report::print_job(job);
  Report::print_runs(runs);
  return ExitStatus::done;
}

RetentionAudit::RetentionAudit(CLI::App& parent)
    : RetentionCommand(parent, "audit", audit_description, audit_examples),
      pages_(options(), "entries") {
  options().add_flag("--expiry", expiry_, "Look for threads that should expire and do not");
  print_by_pager();
}

ExitStatus RetentionAudit::show_expiry() {
  const auto report = retention().expiry(call());
  if (json()) {
    std::cout << json_text({{"expected", report.expected},
                            {"threads", report.threads},
                            {"without_expiry", report.without},
                            {"thread_ids", report.ids}})
              << "\n";
  } else if (!report.expected) {
    std::cout << "no thread expires without a sweep: this is no store of Redis with a ttl in its "
                 "URL\n";
  } else if (report.without == 0) {
    std::cout << "all of " << report.threads << " threads expire, or are pinned or held\n";
  } else {
    std::cout << report.without << " of " << report.threads << " threads do not expire:\n";
    for (const auto& id : report.ids) std::cout << printable(id) << "\n";
    std::cout << "the next write with this URL gives them a deadline; a sweep takes them by the "
                 "policies\n";
  }
  return ExitStatus::done;
}

ExitStatus RetentionAudit::execute() {
  if (expiry_) return show_expiry();
  const Call limits = call();
  const auto read = [&](const std::string& cursor) {
    return retention().audit(cursor, pages_.page_size(), limits);
  };
  return Listing(audit_form, json(), terminal_width())
      .print(read(pages_.cursor()), pages_.all(), read);
}

}  // namespace threadkeep::cli
