// SPDX-License-Identifier: Apache-2.0
#include "columns.hpp"
#include "requests.hpp"
#include "retention/sql.hpp"
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
                       &swept.collected}) {
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

std::string PostgresRetention::finish(std::int64_t run, bool done, const std::string& error,
                                      const Call& call) {
  const std::string parameters[] = {std::to_string(run), done ? "true" : "false", error};
  return query(sql::call_finish, parameters, call).front().front().value_or("");
}

SweepResult PostgresRetention::sweep(const SweepOptions& options, const Call& call) {
  check(options);
  const auto until = std::chrono::steady_clock::now() + options.time_budget;
  const auto begun = query(sql::call_begin, {}, call);
  SweepResult result;
  result.run = Columns(begun.front()).number<std::int64_t>();
  if (result.run == 0) return result;
  const std::string parameters[] = {std::to_string(result.run), std::to_string(options.batch_size)};
  Batch batch;
  try {
    while (!batch.done && !has_enough(options, batch.swept) &&
           std::chrono::steady_clock::now() < until) {
      batch = read_batch(query(sql::call_batch, parameters, call).front());
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
