// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "columns.hpp"
#include "requests.hpp"
#include "retention/sql.hpp"
#include "rules.hpp"
#include "threadkeep/error.hpp"
#include "threadkeep/retention/postgres.hpp"

namespace threadkeep::retention {

namespace {

// What a batch says of its run.
struct Batch {
  bool done = false;
  std::string error;
  std::size_t policies = 0;
  Swept swept;
};

Batch read_batch(const SqlHost::Row& row) {
  Columns columns(row);
  Batch batch;
  batch.done = columns.text() == "true";
  batch.error = columns.text();
  batch.policies = columns.number();
  Swept& swept = batch.swept;
  for (auto* number : {&swept.threads, &swept.checkpoints, &swept.writes, &swept.bytes, &swept.busy,
                       &swept.collected, &swept.tombstones, &swept.notes}) {
    *number = columns.number();
  }
  return batch;
}

Due read_due(const SqlHost::Row& row) {
  Columns columns(row);
  Due due;
  due.policy = columns.text();
  due.reason = columns.text();
  for (auto* number : {&due.threads, &due.checkpoints, &due.writes, &due.blobs, &due.bytes}) {
    *number = columns.number();
  }
  return due;
}

}  // namespace

std::vector<Due> PostgresRetention::due(const std::string& policies, const Call& call) {
  const std::string parameters[] = {policies};
  std::vector<Due> all;
  for (const auto& row : query(sql::call_preview, parameters, call)) all.push_back(read_due(row));
  return all;
}

std::vector<Due> PostgresRetention::preview(const Call& call) {
  return due(std::string(), call);
}

std::vector<Due> PostgresRetention::preview(std::span<const Policy> policies, const Call& call) {
  return due(to_json(policies), call);
}

std::uint64_t PostgresRetention::refresh(std::span<const std::string> thread_ids,
                                         const Call& call) {
  const std::string parameters[] = {
      nlohmann::json(thread_ids).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
  const auto rows = query(sql::call_refresh, parameters, call);
  return Columns(rows.front()).number();
}

Leftovers PostgresRetention::leftovers(const KeepTimes& times, const Call& call) {
  const std::string parameters[] = {format_duration(times.tombstones),
                                    format_duration(times.audit)};
  const auto rows = query(sql::call_leftovers, parameters, call);
  Columns columns(rows.front());
  Leftovers found;
  found.tombstones = columns.number();
  found.notes = columns.number();
  return found;
}

std::string PostgresRetention::finish(std::int64_t run, bool done, const std::string& error,
                                      const Call& call) {
  const std::string parameters[] = {std::to_string(run), done ? "true" : "false", error};
  return query(sql::call_finish, parameters, call).front().front().value_or("");
}

PostgresRetention::Kept PostgresRetention::keep(std::int64_t run, const SweepOptions& options,
                                                const Call& call) {
  if (!options.archive) return {};
  const std::string parameters[] = {std::to_string(run), std::to_string(options.batch_size)};
  auto seen = nlohmann::json::object();
  std::vector<std::string> threads;
  for (const auto& row : query(sql::call_look, parameters, call)) {
    threads.push_back(row.at(0).value());
    seen[threads.back()] = row.at(1).value();
  }
  // Also where nothing is due: a thread that is due a moment later is not in the archive.
  if (threads.empty()) return {.seen = "{}", .name = {}};
  return {.seen = seen.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
          .name = options.archive->keep(run, threads, call)};
}

SweepResult PostgresRetention::sweep(const SweepOptions& options, const Call& call) {
  check(options);
  if (!options.archive && archive_required(call)) throw Error(Code::denied, archive_is_required);
  const auto until = std::chrono::steady_clock::now() + options.time_budget;
  const auto begun = query(sql::call_begin, {}, call);
  SweepResult result;
  result.run = Columns(begun.front()).number<std::int64_t>();
  if (result.run == 0) return result;
  Batch batch;
  try {
    while (!batch.done && !has_enough(options, batch.swept) &&
           std::chrono::steady_clock::now() < until) {
      const std::uint64_t before = batch.swept.threads;
      const Kept kept = keep(result.run, options, call);
      const std::string parameters[] = {std::to_string(result.run),
                                        std::to_string(options.batch_size), kept.seen, kept.name};
      batch = read_batch(query(sql::call_batch, parameters, call).front());
      const bool nothing_went = batch.error.empty() && batch.swept.threads == before;
      if (!kept.name.empty() && nothing_went) options.archive->forget(kept.name);
      if (options.progress) options.progress(batch.swept);
    }
  } catch (const Error& error) {
    // So that the next sweep need not wait until this one counts as dead.
    const Call last{.deadline = Deadline::after(std::chrono::seconds(5)), .stop = {}};
    try {
      finish(result.run, false, error.what(), last);
    } catch (const Error&) {
      throw error;
    }
    throw;
  }
  result.finished = batch.done;
  result.policies = batch.policies;
  result.swept = batch.swept;
  result.summary = finish(result.run, batch.done, batch.error, call);
  if (!batch.error.empty()) throw Error(Code::internal, result.summary + ": " + batch.error);
  return result;
}

}  // namespace threadkeep::retention
