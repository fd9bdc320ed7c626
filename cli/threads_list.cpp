// SPDX-License-Identifier: Apache-2.0
#include "threads_list.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

#include "checkpoint_view.hpp"
#include "metadata_condition.hpp"
#include "table.hpp"
#include "terminal.hpp"

namespace threadkeep::cli {

namespace {

using Json = nlohmann::json;

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

std::string known_time(std::int64_t time) {
  return time == 0 ? "unknown" : time_text(time);
}

void print_json(const std::vector<ThreadInfo>& threads, const std::string& next) {
  Json list = Json::array();
  for (const ThreadInfo& thread : threads) {
    list.push_back({{"thread_id", thread.thread_id},
                    {"created_at", thread.created_at},
                    {"updated_at", thread.updated_at},
                    {"revision", thread.revision},
                    {"metadata", Json::parse(thread.metadata)}});
  }
  std::cout << Json{{"threads", list}, {"next", next}}.dump() << "\n";
}

void print_table(const std::vector<ThreadInfo>& threads) {
  Table table({"THREAD", "CREATED", "UPDATED", "METADATA"});
  for (const ThreadInfo& thread : threads) {
    table.add({thread.thread_id, known_time(thread.created_at), known_time(thread.updated_at),
               thread.metadata});
  }
  table.print(std::cout, terminal_width());
}

}  // namespace

ThreadsList::ThreadsList(CLI::App& threads) : StoreCommand(threads, "list", description, examples) {
  auto* all = options().add_flag("--all", all_, "All threads, not only a page");
  options().add_option("--limit", limit_, "Threads of a page, 50 if not given")->excludes(all);
  options().add_option("--cursor", cursor_, "Go on where the page before ended")->excludes(all);
  options().add_option("--metadata", metadata_,
                       "Only threads whose metadata has NAME=VALUE; may be repeated");
}

ThreadList ThreadsList::query() const {
  ThreadList query{.filter = {}, .limit = all_ ? 1000 : limit_, .cursor = cursor_};
  for (const std::string& text : metadata_) query.filter.push_back(metadata_condition(text));
  return query;
}

ExitStatus ThreadsList::execute() {
  const Call limits = call();
  ThreadList next = query();
  const auto store = open_store();
  std::vector<ThreadInfo> threads;
  do {
    auto page = store->threads(next, limits);
    next.cursor = page.next;
    std::move(page.items.begin(), page.items.end(), std::back_inserter(threads));
  } while (all_ && !next.cursor.empty());
  if (json()) {
    print_json(threads, next.cursor);
    return ExitStatus::done;
  }
  if (threads.empty()) {
    std::cout << "no threads in " << store_name() << "\n";
    return ExitStatus::done;
  }
  print_table(threads);
  if (!next.cursor.empty()) std::cout << "more: --cursor " << next.cursor << "\n";
  return ExitStatus::done;
}

}  // namespace threadkeep::cli
