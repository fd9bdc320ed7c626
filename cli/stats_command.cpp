// SPDX-License-Identifier: Apache-2.0
#include "stats_command.hpp"

#include <iostream>

#include "checkpoint_view.hpp"
#include "json_output.hpp"
#include "printable.hpp"
#include "table.hpp"
#include "terminal.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* description =
    "Counts what a store holds: rows and bytes, the largest threads, checkpoints of each day.\n"
    "\n"
    "On large stores of Postgres and Redis it looks at a sample, says so, and marks what it\n"
    "estimates by a ~. With --exact it looks at everything.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep stats --url sqlite:agent.db\n"
    "  threadkeep stats --url postgresql:///agents --exact --timeout 10m --json";

Json json_of(const std::optional<std::uint64_t>& number) {
  return number ? Json(*number) : Json();
}

Json json_of(const StoreStats& stats) {
  Json entities = Json::object();
  for (const auto& entity : stats.entities) {
    entities[entity.name] = {{"rows", entity.rows}, {"bytes", json_of(entity.bytes)}};
  }
  Json largest = Json::array();
  for (const auto& thread : stats.largest) {
    largest.push_back({{"thread_id", thread.thread_id},
                       {"checkpoints", thread.checkpoints},
                       {"bytes", thread.bytes}});
  }
  Json days = Json::array();
  for (const auto& [day, checkpoints] : stats.checkpoints_by_day) {
    days.push_back({{"day", time_text(day).substr(0, 10)}, {"checkpoints", checkpoints}});
  }
  return {{"estimated", stats.estimated},
          {"method", stats.method},
          {"stored_bytes", json_of(stats.stored_bytes)},
          {"entities", entities},
          {"largest", largest},
          {"days", days}};
}

// Prints what a store holds for people.
class Report {
 public:
  explicit Report(const StoreStats& stats) : stats_(stats) {}

  void print() const {
    std::cout << "looked at " << stats_.method << "\n";
    if (stats_.stored_bytes) {
      std::cout << size_text(*stats_.stored_bytes) << " stored, indexes included\n";
    }
    print_entities();
    print_largest();
    print_days();
  }

 private:
  std::string number(std::uint64_t count) const {
    return (stats_.estimated ? "~" : "") + std::to_string(count);
  }

  void print_entities() const {
    Table table({"ENTITY", "ROWS", "BYTES"});
    for (const auto& entity : stats_.entities) {
      table.add({entity.name, number(entity.rows), entity.bytes ? size_text(*entity.bytes) : "-"});
    }
    std::cout << "\n";
    table.print(std::cout, 0);
  }

  void print_largest() const {
    if (stats_.largest.empty()) return;
    const char* title = stats_.estimated ? "LARGEST THREADS OF THE SAMPLE" : "LARGEST THREADS";
    Table table({"BYTES", "CHECKPOINTS", title});
    for (const auto& thread : stats_.largest) {
      table.add({size_text(thread.bytes), std::to_string(thread.checkpoints), thread.thread_id});
    }
    std::cout << "\n";
    table.print(std::cout, terminal_width());
  }

  void print_days() const {
    if (stats_.checkpoints_by_day.empty()) return;
    Table table({"DAY", "CHECKPOINTS"});
    for (const auto& [day, checkpoints] : stats_.checkpoints_by_day) {
      table.add({time_text(day).substr(0, 10), number(checkpoints)});
    }
    std::cout << "\n";
    table.print(std::cout, 0);
  }

  const StoreStats& stats_;
};

}  // namespace

StatsCommand::StatsCommand(CLI::App& app) : StoreCommand(app, "stats", description, examples) {
  options().add_option("--largest", query_.largest,
                       "How many of the largest threads, 10 if not given");
  options().add_option("--days", days_,
                       "How many of the last days with checkpoints, 14 if not given");
  options().add_flag("--exact", query_.exact, "Look at everything, however long it takes");
}

ExitStatus StatsCommand::execute() {
  StoreStats stats = open_store()->stats(query_, call());
  auto& days = stats.checkpoints_by_day;
  while (days.size() > days_) days.erase(days.begin());
  if (json()) {
    std::cout << json_text(json_of(stats)) << "\n";
  } else {
    Report(stats).print();
  }
  return ExitStatus::done;
}

}  // namespace threadkeep::cli
