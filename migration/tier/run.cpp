// SPDX-License-Identifier: Apache-2.0
#include "migration/tier/run.hpp"

#include <algorithm>
#include <chrono>
#include <random>

namespace threadkeep::migration {

namespace {

std::string random_id() {
  constexpr char digits[] = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int at = 0; at < 16; ++at) id += digits[random() % 16];
  return id;
}

std::int64_t now_in_microseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

auto position(const tables::Run& run, const std::string& table, int pass) {
  return std::find_if(run.tables.begin(), run.tables.end(),
                      [&](const auto& each) { return each.table == table && each.pass == pass; });
}

}  // namespace

void check_same_run(const tables::Run& unfinished, const std::string& source,
                    const std::string& plan_hash) {
  std::string differs;
  if (unfinished.source != source) {
    differs = "its source was " + unfinished.source;
  } else if (unfinished.plan_hash != plan_hash) {
    differs = "it had other tables, columns or options";
  } else {
    return;
  }
  throw Error(Code::conflict, "the target has an unfinished migration, run " + unfinished.id +
                                  ", which is not this one: " + differs +
                                  "; finish it by the command that began it, or give it up with "
                                  "--new-run");
}

OpenRun open_run(tables::Writer& writer, const std::string& source, const std::string& plan_hash,
                 bool anew, const Call& call) {
  if (auto unfinished = writer.unfinished_run(call)) {
    if (!anew) {
      check_same_run(*unfinished, source, plan_hash);
      return {std::move(*unfinished), true};
    }
    writer.finish_run(unfinished->id, call);
  }
  tables::Run run;
  run.id = random_id();
  run.source = source;
  run.plan_hash = plan_hash;
  run.started_at = now_in_microseconds();
  writer.begin_run(run, call);
  return {std::move(run), false};
}

tables::TableProgress progress_of(const tables::Run& run, const std::string& table, int pass) {
  const auto found = position(run, table, pass);
  if (found != run.tables.end()) return *found;
  tables::TableProgress progress;
  progress.table = table;
  progress.pass = pass;
  return progress;
}

void remember(tables::Run& run, const tables::TableProgress& progress) {
  const auto found = position(run, progress.table, progress.pass);
  if (found == run.tables.end()) {
    run.tables.push_back(progress);
  } else {
    run.tables[static_cast<std::size_t>(found - run.tables.cbegin())] = progress;
  }
}

std::uint64_t rejected_rows(const tables::Run& run) noexcept {
  std::uint64_t rows = 0;
  for (const auto& each : run.tables) rows += each.counts.rejected;
  return rows;
}

}  // namespace threadkeep::migration
