// SPDX-License-Identifier: Apache-2.0
#include "threads_history.hpp"

#include "checkpoint_view.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* description = "Lists the checkpoints of a thread, newest first.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep threads history ada --url sqlite:agent.db\n"
    "  threadkeep threads history ada --url sqlite:agent.db --namespace '' --all --json";

Json json_of(const CheckpointTuple& checkpoint) {
  Json item = {{"checkpoint_ns", checkpoint.checkpoint_ns},
               {"checkpoint_id", checkpoint.checkpoint_id},
               {"parent_checkpoint_id", nullptr},
               {"metadata", stored_json(checkpoint.metadata)}};
  if (checkpoint.parent_checkpoint_id) {
    item["parent_checkpoint_id"] = *checkpoint.parent_checkpoint_id;
  }
  return item;
}

std::vector<std::string> row(const CheckpointTuple& checkpoint) {
  const CheckpointView parts = view(checkpoint, nullptr, 0);
  return {parts.checkpoint_id,
          parts.step,
          parts.source,
          parts.time,
          checkpoint.checkpoint_ns,
          parts.parent_checkpoint_id.value_or("-")};
}

const ListingForm<CheckpointTuple> form = {
    "checkpoints", json_of, {"CHECKPOINT", "STEP", "SOURCE", "TIME", "NAMESPACE", "PARENT"}, row};

}  // namespace

ThreadsHistory::ThreadsHistory(CLI::App& threads)
    : StoreCommand(threads, "history", description, examples), pages_(options(), "checkpoints") {
  options().add_option("THREAD", thread_id_, "The id of the thread")->required();
  options().add_option("--namespace", ns_, "Only this namespace; '' is the root graph");
  print_by_pager();
}

ExitStatus ThreadsHistory::execute() {
  const Call limits = call();
  CheckpointList query{.thread_id = thread_id_,
                       .checkpoint_ns = ns_,
                       .checkpoint_id = {},
                       .before = {},
                       .filter = {},
                       .include = {.values = false, .writes = false},
                       .limit = pages_.page_size(),
                       .cursor = {}};
  const auto store = open_store();
  const auto read = [&](const std::string& cursor) {
    query.cursor = cursor;
    return store->list(query, limits);
  };
  auto first = read(pages_.cursor());
  if (first.items.empty()) throw no_thread("checkpoints", thread_id_, store_name());
  return Listing(form, json(), 0).print(std::move(first), pages_.all(), read);
}

}  // namespace threadkeep::cli
