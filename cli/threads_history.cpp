// SPDX-License-Identifier: Apache-2.0
#include "threads_history.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

#include "checkpoint_view.hpp"
#include "table.hpp"
#include "terminal.hpp"

namespace threadkeep::cli {

namespace {

using Json = nlohmann::json;

constexpr const char* description = "Lists the checkpoints of a thread, newest first.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep threads history ada --url sqlite:agent.db\n"
    "  threadkeep threads history ada --url sqlite:agent.db --namespace '' --all --json";

void print_json(const std::vector<CheckpointTuple>& checkpoints, const std::string& next) {
  Json list = Json::array();
  for (const CheckpointTuple& checkpoint : checkpoints) {
    Json item = {{"checkpoint_ns", checkpoint.checkpoint_ns},
                 {"checkpoint_id", checkpoint.checkpoint_id},
                 {"parent_checkpoint_id", nullptr},
                 {"metadata", Json::parse(checkpoint.metadata)}};
    if (checkpoint.parent_checkpoint_id) {
      item["parent_checkpoint_id"] = *checkpoint.parent_checkpoint_id;
    }
    list.push_back(std::move(item));
  }
  std::cout << Json{{"checkpoints", list}, {"next", next}}.dump() << "\n";
}

void print_table(const std::vector<CheckpointTuple>& checkpoints) {
  Table table({"CHECKPOINT", "STEP", "SOURCE", "TIME", "NAMESPACE", "PARENT"});
  for (const CheckpointTuple& checkpoint : checkpoints) {
    const CheckpointView parts = view(checkpoint, nullptr, 0);
    table.add({parts.checkpoint_id, parts.step, parts.source, parts.time, checkpoint.checkpoint_ns,
               parts.parent_checkpoint_id.value_or("-")});
  }
  table.print(std::cout, 0);
}

}  // namespace

ThreadsHistory::ThreadsHistory(CLI::App& threads)
    : StoreCommand(threads, "history", description, examples) {
  options().add_option("THREAD", thread_id_, "The id of the thread")->required();
  options().add_option("--namespace", ns_, "Only this namespace; '' is the root graph");
  auto* all = options().add_flag("--all", all_, "All checkpoints, not only a page");
  options().add_option("--limit", limit_, "Checkpoints of a page, 50 if not given")->excludes(all);
  options().add_option("--cursor", cursor_, "Go on where the page before ended")->excludes(all);
}

ExitStatus ThreadsHistory::execute() {
  const Call limits = call();
  CheckpointList query{.thread_id = thread_id_,
                       .checkpoint_ns = ns_,
                       .checkpoint_id = {},
                       .before = {},
                       .filter = {},
                       .include = {.values = false, .writes = false},
                       .limit = all_ ? 1000 : limit_,
                       .cursor = cursor_};
  const auto store = open_store();
  std::vector<CheckpointTuple> checkpoints;
  do {
    auto page = store->list(query, limits);
    query.cursor = page.next;
    std::move(page.items.begin(), page.items.end(), std::back_inserter(checkpoints));
  } while (all_ && !query.cursor.empty());
  if (checkpoints.empty()) throw no_thread(thread_id_, store_name());
  if (json()) {
    print_json(checkpoints, query.cursor);
    return ExitStatus::done;
  }
  print_table(checkpoints);
  if (!query.cursor.empty()) std::cout << "more: --cursor " << query.cursor << "\n";
  return ExitStatus::done;
}

}  // namespace threadkeep::cli
