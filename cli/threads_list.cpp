// SPDX-License-Identifier: Apache-2.0
#include "threads_list.hpp"

#include <iostream>

#include "metadata_condition.hpp"
#include "terminal.hpp"
#include "thread_view.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* description =
    "Lists the threads of a store, ordered by their ids.\n"
    "\n"
    "Times have a granularity of a minute. A time is unknown for threads that another program\n"
    "stored.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep threads list --url sqlite:agent.db\n"
    "  threadkeep threads list --url sqlite:agent.db --metadata user=ada\n"
    "  threadkeep threads list --url sqlite:agent.db --all --json";

std::vector<std::string> row(const ThreadInfo& thread) {
  return {thread.thread_id, known_time(thread.created_at), known_time(thread.updated_at),
          thread.metadata};
}

const ListingForm<ThreadInfo> form = {
    "threads", thread_json, {"THREAD", "CREATED", "UPDATED", "METADATA"}, row};

}  // namespace

ThreadsList::ThreadsList(CLI::App& threads)
    : StoreCommand(threads, "list", description, examples), pages_(options(), "threads") {
  options().add_option("--metadata", metadata_,
                       "Only threads whose metadata has NAME=VALUE; may be repeated");
  print_by_pager();
}

ThreadList ThreadsList::query() const {
  ThreadList query{.filter = {}, .limit = pages_.page_size(), .cursor = {}};
  for (const std::string& text : metadata_) query.filter.push_back(metadata_condition(text));
  return query;
}

ExitStatus ThreadsList::execute() {
  const Call limits = call();
  ThreadList next = query();
  const auto store = open_store();
  const auto read = [&](const std::string& cursor) {
    next.cursor = cursor;
    return store->threads(next, limits);
  };
  auto first = read(pages_.cursor());
  if (first.items.empty() && !json()) {
    std::cout << "no threads in " << store_name() << "\n";
    return ExitStatus::done;
  }
  return Listing(form, json(), terminal_width()).print(std::move(first), pages_.all(), read);
}

}  // namespace threadkeep::cli
