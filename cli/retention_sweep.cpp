// SPDX-License-Identifier: Apache-2.0
#include "retention_sweep.hpp"

#include <unistd.h>

#include <iostream>

#include "duration_option.hpp"
#include "not_empty.hpp"
#include "progress.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* description =
    "Deletes what the stored policies call old. Without --yes it only shows what that would be.\n"
    "\n"
    "Works in batches, each of them a transaction, beside programs that use the store. It may be\n"
    "stopped at any time; the next sweep goes on from there. On Postgres values go in a sweep "
    "that\n"
    "comes 15 minutes later or more.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep retention sweep --store prod\n"
    "  threadkeep retention sweep --yes --store prod --time-budget 30m\n"
    "  threadkeep retention sweep --yes --archive /var/backups/agents --store prod";

Json json_of(const retention::SweepResult& result) {
  const auto& swept = result.swept;
  return {{"dry_run", false},
          {"run", result.run},
          {"finished", result.finished},
          {"policies", result.policies},
          {"threads", swept.threads},
          {"checkpoints", swept.checkpoints},
          {"writes", swept.writes},
          {"bytes", swept.bytes},
          {"busy", swept.busy},
          {"collected", swept.collected},
          {"tombstones", swept.tombstones},
          {"notes", swept.notes}};
}

bool nothing_went(const retention::Swept& swept) {
  return swept.threads + swept.collected + swept.tombstones + swept.notes == 0;
}

// What one sweep did, as numbers that the next one replaces.
void tell(const retention::SweepResult& result) {
  Metrics& metrics = *Metrics::process();
  const auto set = [](Gauge& gauge, std::uint64_t value) {
    gauge.set(static_cast<std::int64_t>(value));
  };
  set(metrics.gauge("threadkeep_sweep_finished", "Whether the sweep came to its end."),
      result.finished ? 1 : 0);
  set(metrics.gauge("threadkeep_sweep_threads", "Threads that the sweep took from."),
      result.swept.threads);
  set(metrics.gauge("threadkeep_sweep_checkpoints", "Checkpoints that the sweep deleted."),
      result.swept.checkpoints);
  set(metrics.gauge("threadkeep_sweep_writes", "Pending writes that the sweep deleted."),
      result.swept.writes);
  set(metrics.gauge("threadkeep_sweep_bytes", "Bytes that the sweep deleted."), result.swept.bytes);
}

Progress::State state_of(const retention::Swept& swept, std::optional<std::uint64_t> total) {
  return {.done = swept.checkpoints,
          .total = total,
          .text = std::to_string(swept.threads) + " threads, " + std::to_string(swept.checkpoints) +
                  " checkpoints",
          .bytes = swept.bytes};
}

}  // namespace

RetentionSweep::RetentionSweep(CLI::App& parent)
    : RetentionCommand(parent, "sweep", description, examples),
      metrics_(options(), "retention sweep") {
  default_timeout(std::chrono::hours(1));
  options().add_flag("--yes", yes_, "Delete");
  options()
      .add_option("--archive", archive_,
                  "Write each thread to a new file in this directory before anything of it "
                  "is deleted; see `threads import`")
      ->check(not_empty());
  add_duration(options(), "--time-budget", time_budget_,
               "When it is over, begin no further batch; 10m if not given");
  options()
      .add_option("--batch-size", batch_size_, "Checkpoints of a batch, 1000 if not given")
      ->check(CLI::Range(1, 10'000).description(""));
}

ExitStatus RetentionSweep::execute() {
  return yes_ ? sweep_and_tell() : show();
}

ExitStatus RetentionSweep::sweep_and_tell() {
  metrics_.begin();
  try {
    return sweep();
  } catch (...) {
    metrics_.failed();
    throw;
  }
}

ExitStatus RetentionSweep::show() {
  const Call limits = call();
  const Stored rules = stored(limits);
  const auto policies = rules.policies.size();
  const auto due = retention().preview(limits);
  const auto leftovers = retention().leftovers(rules.keep, limits);
  const std::string message = "nothing was deleted: this is a dry run, say --yes";
  if (json()) {
    return succeed(message, {{"dry_run", true},
                             {"policies", policies},
                             {"archive", rules.archive_required ? "required" : "optional"},
                             {"due", due_json(due)},
                             {"leftovers", leftovers_json(leftovers)}});
  }
  print_due(due, policies);
  print_leftovers(leftovers);
  print_archive_required(rules.archive_required && archive_.empty());
  std::cout << "\n" << message << "\n";
  return ExitStatus::done;
}

// Each batch of threads as a file of its own, which is whole before the batch is deleted.
retention::Archive RetentionSweep::archive_to(ops::ArchiveDirectory& directory) {
  return {.keep =
              [&](std::int64_t run, const std::vector<std::string>& thread_ids, const Call& call) {
                return directory.keep("sweep-run" + std::to_string(run), thread_ids, call);
              },
          .forget = ops::ArchiveDirectory::forget};
}

// Counting costs as much as a dry run; a person waits for the bar that it makes.
std::optional<std::uint64_t> RetentionSweep::checkpoints_due() {
  if (json() || ::isatty(STDERR_FILENO) != 1) return {};
  std::uint64_t checkpoints = 0;
  for (const auto& due : retention().preview(call())) checkpoints += due.checkpoints;
  return checkpoints;
}

ExitStatus RetentionSweep::sweep() {
  std::optional<ops::ArchiveDirectory> directory;
  if (!archive_.empty()) directory.emplace(opened_store(), archive_);
  const auto total = checkpoints_due();
  Progress progress(json());
  retention::SweepOptions limits = {
      .time_budget =
          std::chrono::duration_cast<std::chrono::seconds>(std::chrono::milliseconds(time_budget_)),
      .batch_size = batch_size_,
      .progress = [&](const auto& swept) { progress.step([&] { return state_of(swept, total); }); },
      .archive = {}};
  if (directory) limits.archive = archive_to(*directory);
  const auto result = retention().sweep(limits, call());
  tell(result);
  if (result.run == 0) {
    throw Refusal{ExitStatus::failed, "busy", "nothing was deleted: another sweep is under way"};
  }
  const auto& swept = result.swept;
  if (result.policies == 0 && result.finished && nothing_went(swept)) {
    throw Refusal{ExitStatus::failed, "no_policies",
                  std::string("nothing was deleted: ") + no_policies};
  }
  metrics_.succeeded();
  return succeed(result.summary, json_of(result));
}

}  // namespace threadkeep::cli
