// SPDX-License-Identifier: Apache-2.0
#include "migrate_output.hpp"

#include <algorithm>
#include <cctype>
#include <migration/tier/words.hpp>

#include "printable.hpp"

namespace threadkeep::cli {

namespace {

using migration::counted;
using migration::joined;
using tables::Counts;

std::string place_text(const tables::DatabaseInfo& info) {
  return info.place + " (" + info.engine + (info.version.empty() ? "" : " " + info.version) + ")";
}

// The id comes from the target, whose notes anybody may have written: as the name of a file it
// leads nowhere else.
std::string name_of(const tables::Run& run) {
  constexpr std::size_t longest = 64;
  std::string name = run.id.substr(0, longest);
  std::replace_if(
      name.begin(), name.end(),
      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

Json place_json(const tables::DatabaseInfo& info, const std::string& tier) {
  return {{"tier", tier},
          {"engine", info.engine},
          {"version", info.version},
          {"place", info.place},
          {"identity", info.identity}};
}

// " (3 updated, 9 unchanged)"; nothing where all rows are new.
std::string what_became(const Counts& counts) {
  std::vector<std::string> words;
  const auto add = [&](std::uint64_t number, const char* word) {
    if (number > 0) words.push_back(std::to_string(number) + " " + word);
  };
  add(counts.inserted, "inserted");
  add(counts.updated, "updated");
  add(counts.unchanged, "unchanged");
  add(counts.kept, "newer in the target");
  add(counts.rejected, "rejected");
  if (counts.inserted == counts.rows()) return "";
  return " (" + joined(words) + ")";
}

Json json_of(const Counts& counts) {
  return {{"rows", counts.rows()},          {"inserted", counts.inserted},
          {"updated", counts.updated},      {"unchanged", counts.unchanged},
          {"newer_in_target", counts.kept}, {"rejected", counts.rejected}};
}

Json json_of(const migration::TableVerdict& verdict) {
  Json orphans = Json::array();
  for (const auto& each : verdict.orphans) {
    orphans.push_back(
        {{"columns", each.key.columns}, {"refers_to", each.key.target}, {"rows", each.rows}});
  }
  Json sequences = Json::array();
  for (const auto& each : verdict.sequences) {
    sequences.push_back({{"column", each.column}, {"next", each.next}, {"highest", each.highest}});
  }
  return {{"table", verdict.table},
          {"rows", verdict.row_count},
          {"missing", verdict.differences.missing},
          {"different", verdict.differences.different},
          {"extra", verdict.differences.extra},
          {"newer_in_target", verdict.differences.newer},
          {"examples", verdict.differences.examples},
          {"orphans", orphans},
          {"sequences_behind", sequences}};
}

std::vector<std::string> order_of(const migration::Plan& plan) {
  std::vector<std::string> names;
  names.reserve(plan.tables.size());
  for (const auto& table : plan.tables) names.push_back(table.name());
  return names;
}

std::string comma(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// The parts of a store, as its users know them.
std::vector<std::pair<const char*, std::uint64_t>> parts_of(const migration::StoreCounts& counts) {
  return {{"threads", counts.threads},   {"checkpoints", counts.checkpoints},
          {"blobs", counts.blobs},       {"writes", counts.writes},
          {"messages", counts.messages}, {"state", counts.states + counts.scopes}};
}

Json json_of(const migration::StoreCounts& counts) {
  Json all = Json::object();
  for (const auto& [name, number] : parts_of(counts)) all[name] = number;
  return all;
}

Json json_of(const migration::StoreReport& report) {
  return {{"seen", json_of(report.seen)},
          {"stored", json_of(report.stored)},
          {"unchanged", report.unchanged},
          {"problems", report.problem_count},
          {"not_carried", report.not_carried}};
}

std::vector<std::string> complaints(const migration::TableVerdict& verdict) {
  std::vector<std::string> lines;
  const auto& found = verdict.differences;
  if (found.total() > 0) {
    lines.push_back(
        verdict.table + ": " + std::to_string(found.missing) + " missing, " +
        std::to_string(found.different) + " different" +
        (found.newer == 0 ? "" : " (" + std::to_string(found.newer) + " newer in the target)") +
        ", " + std::to_string(found.extra) + " only in the target");
    for (const auto& example : found.examples) lines.push_back("  " + example);
  }
  for (const auto& each : verdict.orphans) {
    lines.push_back(counted(each.rows, "row") + " of " +
                    migration::names_of(verdict.table, each.key.columns) +
                    " with nothing to refer to in " + each.key.target);
  }
  for (const auto& each : verdict.sequences) {
    lines.push_back("the sequence of " + verdict.table + "." + each.column + " would give " +
                    each.next + ", and " + each.highest + " is taken");
  }
  return lines;
}

// What the verification does not hold against the copy, which has told it.
std::string exceptions(const Counts& told_before) {
  std::vector<std::string> parts;
  if (told_before.rejected > 0) parts.push_back(std::to_string(told_before.rejected) + " rejected");
  if (told_before.kept > 0)
    parts.push_back(std::to_string(told_before.kept) + " newer in the target");
  return parts.empty() ? "" : " but for " + comma(parts);
}

}  // namespace

void MigrateOutput::source(const tables::DatabaseInfo& info) {
  const bool has_tables = !info.version.empty();
  const std::string tier(has_tables ? to_string(migration::tier_of(info)) : info.engine);
  line("Analyzing source tier: " + tier);
  line("Source: " + place_text(info));
  event("source", place_json(info, tier));
}

void MigrateOutput::target(const tables::DatabaseInfo& info) {
  const std::string tier(to_string(to_));
  line("Analyzing target tier: " + tier);
  line("Target: " + place_text(info));
  event("target", place_json(info, tier));
}

void MigrateOutput::plan(const migration::Analysis& analysis, bool dry_run) {
  total_rows_ = analysis.row_count();
  plan_lines(analysis, dry_run);
  plan_event(analysis);
}

void MigrateOutput::precondition(const migration::Analysis& analysis) {
  if (analysis.unfinished) {
    line("Precondition: run " + analysis.unfinished->id + " was not finished and goes on ✓");
  } else if (analysis.target_rows + analysis.target_threads == 0) {
    line("Precondition: target is empty ✓");
  } else {
    line("Precondition: target has " + counted(analysis.target_rows, "row") + " and " +
         counted(analysis.target_threads, "thread") +
         ", which are brought up to date unless they are newer");
  }
}

void MigrateOutput::plan_lines(const migration::Analysis& analysis, bool dry_run) {
  precondition(analysis);
  const auto& plan = analysis.plan;
  if (dry_run) {
    for (const auto& table : plan.tables) {
      line(table.name() + ": " + counted(table.row_count, "row"));
    }
    if (analysis.store) store_lines(*analysis.store);
    line("Order: " + comma(order_of(plan)));
  }
  for (const auto& cycle : plan.cycles) line("Cycle: " + cycle);
  for (const auto& skipped : plan.skipped) {
    line("Skipped: " + skipped.table.name + ", " + counted(skipped.row_count, "row") + ": " +
         skipped.reason);
  }
  for (const auto& table : plan.tables) {
    if (table.expired_count > 0) {
      line("Skipped: " + counted(table.expired_count, "row") + " of " + table.name() +
           " that have expired");
    }
    if (table.credentials) {
      line("NOTE: " + table.name() + ": " + counted(table.row_count, "row") +
           " of credentials are copied, because of --include-credentials.");
    }
  }
  for (const auto& note : plan.notes) line("NOTE: " + note);
}

void MigrateOutput::store_lines(const migration::StoreCounts& counts) {
  for (const auto& [name, number] : parts_of(counts)) {
    line(std::string(name) + " (of the store): " + counted(number, "row"));
  }
}

void MigrateOutput::store(const migration::StoreReport& report) {
  store_lines(report.stored);
  for (const auto& text : report.not_carried) line("NOTE: " + text);
  event("store", json_of(report));
}

void MigrateOutput::store_problem(const migration::StoreProblem& problem) {
  const std::string subject = problem.thread_id.empty()
                                  ? (problem.scope.empty() ? "" : "scope " + problem.scope + ": ")
                                  : "thread " + problem.thread_id + ": ";
  line("DIFFERENCE: " + subject + std::string(name_of(problem.kind)) + ": " + problem.text);
  event("store_problem", {{"kind", name_of(problem.kind)},
                          {"thread_id", problem.thread_id},
                          {"scope", problem.scope},
                          {"text", problem.text}});
}

void MigrateOutput::store_progress(const migration::StoreProgress& progress) {
  EventOutput::progress().step([&] {
    const auto done = done_rows_ + progress.seen.rows();
    return Progress::State{done, total_rows_,
                           "threads " + std::to_string(progress.seen.threads) + ", all " +
                               std::to_string(done) + "/" + std::to_string(total_rows_) + " rows",
                           done_bytes_ + progress.bytes, "rows"};
  });
}

void MigrateOutput::plan_event(const migration::Analysis& analysis) {
  const auto& plan = analysis.plan;
  Json tables = Json::array();
  for (const auto& table : plan.tables) {
    tables.push_back({{"table", table.name()},
                      {"rows", table.row_count},
                      {"expired", table.expired_count},
                      {"credentials", table.credentials}});
  }
  Json skipped = Json::array();
  for (const auto& each : plan.skipped) {
    skipped.push_back(
        {{"table", each.table.name}, {"rows", each.row_count}, {"reason", each.reason}});
  }
  event("plan",
        {{"tables", tables},
         {"skipped", skipped},
         {"cycles", plan.cycles},
         {"notes", plan.notes},
         {"store", analysis.store ? json_of(*analysis.store) : Json(nullptr)},
         {"rows", analysis.row_count()},
         {"target_rows", analysis.target_rows},
         {"unfinished_run", analysis.unfinished ? Json(analysis.unfinished->id) : Json(nullptr)}});
}

void MigrateOutput::dry_run_complete(const migration::Analysis& analysis) {
  const auto rows = analysis.row_count();
  line("DRY-RUN COMPLETE (no data written). " + std::to_string(rows) +
       " total rows would be migrated.");
  event("dry_run_complete", {{"ok", true}, {"rows", rows}});
}

void MigrateOutput::waiting(const tables::LockHolder& holder) {
  line("Waiting for another migration: the lock is held by " + holder.description);
  event("waiting", {{"holder", holder.description}});
}

void MigrateOutput::locked(const std::string& lock) {
  line("Lock: " + lock);
  event("locked", {{"lock", lock}});
}

void MigrateOutput::run(const tables::Run& run, bool resumed) {
  if (reject_path_.empty()) reject_path_ = "migrate-tier-rejects-" + name_of(run) + ".jsonl";
  for (const auto& table : run.tables) {
    if (table.pass == 1) done_rows_ += table.counts.rows();
  }
  line((resumed ? "Goes on with run " : "Run ") + run.id);
  event("run", {{"run", run.id}, {"resumed", resumed}});
}

void MigrateOutput::batch(const migration::TablePlan& table, std::uint64_t rows,
                          std::size_t bytes) {
  const auto table_rows = table_rows_[table.name()] += rows;
  done_rows_ += rows;
  done_bytes_ += bytes;
  EventOutput::progress().step([&] {
    return Progress::State{done_rows_, total_rows_,
                           printable(table.name()) + " " + std::to_string(table_rows) + "/" +
                               std::to_string(table.row_count) + ", all " +
                               std::to_string(done_rows_) + "/" + std::to_string(total_rows_) +
                               " rows, " + size_text(done_bytes_),
                           done_bytes_, "rows"};
  });
}

void MigrateOutput::table(const migration::TablePlan& table, const Counts& counts) {
  line(table.name() + ": " + counted(counts.rows(), "row") + what_became(counts));
  Json more = json_of(counts);
  more["table"] = table.name();
  event("table", more);
}

void MigrateOutput::links(const migration::TablePlan& table, const Counts& counts) {
  const auto& columns = table.links->target.update;
  line(migration::names_of(table.name(), columns) + ": " + counted(counts.updated, "row") + " set");
  Json more = json_of(counts);
  more["table"] = table.name();
  more["columns"] = columns;
  event("links", more);
}

void MigrateOutput::sequences(std::uint64_t moved) {
  if (moved > 0) line("Moved " + counted(moved, "sequence") + " past the copied rows");
  event("sequences", {{"moved", moved}});
}

void MigrateOutput::verifying() {
  line("Verifying");
  event("verifying", Json::object());
}

void MigrateOutput::verdict(const migration::TableVerdict& verdict) {
  event("verdict", json_of(verdict));
}

void MigrateOutput::again(const std::vector<std::string>& tables) {
  line("The source has changed since the run began; copied once more: " + comma(tables));
  event("again", {{"tables", tables}});
}

void MigrateOutput::reject(const tables::Reject& reject, const migration::Pass& pass) {
  if (!rejects_) rejects_ = std::make_unique<migration::RejectFile>(reject_path_);
  std::vector<std::string> columns;
  columns.reserve(pass.target.columns.size());
  for (const auto& column : pass.target.columns) columns.push_back(column.name);
  rejects_->add(reject, columns);
  if (rejected_++ == 0) {
    line(reject.table + ": a row is rejected (" + reject.code + "); rejected rows are in " +
         reject_path_);
  }
  event("rejected", {{"table", reject.table}, {"code", reject.code}, {"file", reject_path_}});
}

void MigrateOutput::verified(const migration::Verification& tables,
                             const std::optional<migration::StoreReport>& store,
                             const Counts& told_before) {
  progress().clear();
  std::uint64_t rows = store ? store->seen.rows() : 0;
  for (const auto& verdict : tables.tables) {
    rows += verdict.row_count;
    for (const auto& text : complaints(verdict)) line("DIFFERENCE: " + text);
  }
  const bool holds = tables.holds() && (!store || store->ok());
  if (holds) {
    line("Verified: " + counted(rows, "row") + " of " + counted(tables.tables.size(), "table") +
         (store ? " and the store" : "") + " are equal" + exceptions(told_before) +
         ", nothing refers to nothing, sequences are ahead ✓");
  }
  event("verified", {{"ok", holds}, {"rows", rows}});
}

void MigrateOutput::finished(const migration::MigrateReport& report) {
  const Counts all = report.counts();
  const std::string rejected =
      report.rejected == 0 ? "" : "; " + counted(report.rejected, "row") + " rejected";
  const auto stored = report.store ? report.store->stored.rows() : 0;
  line("COMPLETE. " + std::to_string(all.rows() - all.rejected + stored) + " rows migrated" +
       what_became(all) + rejected);
  Json more = json_of(all);
  more["ok"] = report.rejected == 0 && (!report.store || report.store->ok());
  more["run"] = report.run.id;
  event("complete", more);
}

}  // namespace threadkeep::cli
