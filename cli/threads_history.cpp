// SPDX-License-Identifier: Apache-2.0
#include "threads_history.hpp"

#include "checkpoint_view.hpp"
#include "listing.hpp"

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
    "checkpoints", {"CHECKPOINT", "STEP", "SOURCE", "TIME", "NAMESPACE", "PARENT"}, row, json_of};

}  // namespace

ThreadsHistory::ThreadsHistory(CLI::App& threads)
    : StoreCommand(threads, "history", description, examples) {
  options().add_option("THREAD", thread_id_, "The id of the thread")->required();
  options().add_option("--namespace", ns_, "Only this namespace; '' is the root graph");
  auto* all = options().add_flag("--all", all_, "All checkpoints, not only a page");
  options().add_option("--limit", limit_, "Checkpoints of a page, 50 if not given")->excludes(all);
  options().add_option("--cursor", cursor_, "Go on where the page before ended");
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
                       .limit = all_ ? 1000 : limit_,
                       .cursor = {}};
  const auto store = open_store();
  const auto read = [&](const std::string& cursor) {
    query.cursor = cursor;
    return store->list(query, limits);
  };
  auto first = read(cursor_);
  if (first.items.empty()) throw no_thread(thread_id_, store_name());
  return Listing(form, json(), 0).print(std::move(first), all_, read);
}

}  // namespace threadkeep::cli
