// SPDX-License-Identifier: Apache-2.0
#include "threads_show.hpp"

#include <algorithm>
#include <iostream>
#include <map>

#include "checkpoint_view.hpp"
#include "json_output.hpp"
#include "printable.hpp"
#include "story.hpp"
#include "terminal.hpp"
#include "thread_view.hpp"

namespace threadkeep::cli {

namespace {

using Checkpoints = std::vector<CheckpointTuple>;

constexpr const char* description =
    "Shows what happened in a thread, step by step.\n"
    "\n"
    "Oldest first: the channels that changed with each step, and what the tasks after it wrote.\n"
    "Where a thread forks, the lines that were left come first, further to the right; the line\n"
    "that leads to the latest checkpoint stays at the left.\n"
    "\n"
    "Interrupts, errors and answers to interrupts are shown with their values, the rest with\n"
    "--values, where the type is safe to decode: JSON, text and MessagePack. Nothing is ever\n"
    "executed.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep threads show ada --url sqlite:agent.db\n"
    "  threadkeep threads show ada --url sqlite:agent.db --last 3 --values";

constexpr std::size_t text_limit = 100'000;

std::map<std::string, Checkpoints> by_namespace(Checkpoints checkpoints) {
  std::map<std::string, Checkpoints> namespaces;
  for (auto& checkpoint : checkpoints) {
    namespaces[checkpoint.checkpoint_ns].push_back(std::move(checkpoint));
  }
  return namespaces;
}

// The steps of one namespace, in the order of the story.
class Narrator {
 public:
  Narrator(const Checkpoints& checkpoints, bool values)
      : checkpoints_(checkpoints), values_(values), width_(terminal_width()) {
    for (const auto& checkpoint : checkpoints) by_id_[checkpoint.checkpoint_id] = &checkpoint;
  }

  void print() const {
    for (const StoryStep& step : story(checkpoints_)) print(step);
  }

  Json json() const {
    Json list = Json::array();
    for (const StoryStep& step : story(checkpoints_)) {
      list.push_back(json(parts(checkpoints_[step.checkpoint])));
    }
    return list;
  }

 private:
  CheckpointView parts(const CheckpointTuple& checkpoint) const {
    const auto& parent = checkpoint.parent_checkpoint_id;
    const auto found = parent ? by_id_.find(*parent) : by_id_.end();
    return view(checkpoint, found == by_id_.end() ? nullptr : found->second, text_limit);
  }

  void print(const StoryStep& step) const {
    const CheckpointView checkpoint = parts(checkpoints_[step.checkpoint]);
    std::string indent;
    for (std::size_t i = 0; i < step.depth; ++i) indent += "│ ";
    const bool latest = checkpoint.checkpoint_id == by_id_.rbegin()->first;
    std::cout << indent << "● " << bold("step " + printable(checkpoint.step)) << "  "
              << printable(checkpoint.source) << "  " << checkpoint.time << "  "
              << faint(printable(checkpoint.checkpoint_id)) << (latest ? bold("  latest") : "")
              << (step.forks ? "  forks here" : "") << "\n";
    indent += "│   ";
    for (const ChannelView& channel : checkpoint.channels) {
      if (channel.changed || values_) print(indent, "", channel);
    }
    for (const TaskView& task : checkpoint.tasks) {
      for (const ChannelView& write : task.writes) {
        print(indent, printable(task.name) + " → ", write);
      }
    }
  }

  void print(const std::string& indent, const std::string& before,
             const ChannelView& channel) const {
    std::string line = before + printable(channel.name);
    const std::string size =
        channel.bytes == 0 ? channel.type : channel.type + ", " + size_text(channel.bytes);
    const bool show = (values_ || channel.special) && !channel.text.empty();
    std::string text = show ? ": " + channel.text : std::string();
    if (width_ > 0) {
      const auto used = columns(indent) + columns(line) + columns(size) + 3;
      text = shortened(text, used + 8 < width_ ? width_ - used : 8);
    }
    std::cout << indent << line << " " << faint("(" + printable(size) + ")") << text << "\n";
  }

  Json json(const ChannelView& channel) const {
    Json item = {{"channel", channel.name}, {"type", channel.type}, {"bytes", channel.bytes}};
    if (values_ || channel.special) item["text"] = channel.text;
    return item;
  }

  Json json(const CheckpointView& checkpoint) const {
    Json item = {{"checkpoint_id", checkpoint.checkpoint_id},
                 {"parent_checkpoint_id", nullptr},
                 {"step", checkpoint.step},
                 {"source", checkpoint.source},
                 {"time", checkpoint.time},
                 {"bytes", checkpoint.bytes},
                 {"channels", Json::array()},
                 {"tasks", Json::array()}};
    if (checkpoint.parent_checkpoint_id) {
      item["parent_checkpoint_id"] = *checkpoint.parent_checkpoint_id;
    }
    for (const ChannelView& channel : checkpoint.channels) {
      item["channels"].push_back(json(channel));
      item["channels"].back()["changed"] = channel.changed;
    }
    for (const TaskView& task : checkpoint.tasks) {
      Json writes = Json::array();
      for (const ChannelView& write : task.writes) writes.push_back(json(write));
      item["tasks"].push_back({{"task", task.name}, {"writes", writes}});
    }
    return item;
  }

  const Checkpoints& checkpoints_;
  const bool values_;
  const std::size_t width_;
  std::map<std::string_view, const CheckpointTuple*> by_id_;
};

// What a thread has beside checkpoints.
struct Session {
  std::uint64_t messages = 0;
  std::size_t streams = 0;
  std::size_t documents = 0;

  bool empty() const { return messages + documents == 0; }
};

std::uint64_t count_messages(Store& store, const std::string& thread_id, const std::string& stream,
                             const Call& call) {
  MessageList all;
  all.thread_id = thread_id;
  all.stream = stream;
  return store.count_messages(all, call);
}

Session find_session(Store& store, const std::string& thread_id, const Call& call) {
  Session session;
  if (!store.capabilities().sessions) return session;
  for (const auto& stream : store.streams({thread_id}, call)) {
    session.messages += count_messages(store, thread_id, stream, call);
    ++session.streams;
  }
  StateList list{.scope = StateScope::of_thread(thread_id), .limit = 1000, .cursor = {}};
  do {
    const auto page = store.states(list, call);
    session.documents += page.items.size();
    list.cursor = page.next;
  } while (!list.cursor.empty());
  return session;
}

void print(const Session& session) {
  if (session.messages > 0) {
    std::cout << "messages " << session.messages << " in " << session.streams
              << (session.streams == 1 ? " stream" : " streams")
              << faint(": `threadkeep messages list` shows them") << "\n";
  }
  if (session.documents > 0) {
    std::cout << "state of " << session.documents
              << (session.documents == 1 ? " document" : " documents")
              << faint(": `threadkeep state get` shows it") << "\n";
  }
}

// A thread whose row went between two reads has its id at least.
ThreadInfo find_thread(Store& store, const std::string& thread_id, const Call& call) {
  return store.thread({thread_id}, call).value_or(ThreadInfo{.thread_id = thread_id});
}

void print_heading(const ThreadInfo& thread, const Session& session, bool more) {
  std::cout << bold("thread " + printable(thread.thread_id)) << "  created "
            << known_time(thread.created_at) << "  updated " << known_time(thread.updated_at)
            << "\n";
  if (thread.metadata != "{}") {
    const std::string text = "metadata " + printable(thread.metadata);
    const std::size_t width = terminal_width();
    std::cout << (width > 0 ? shortened(text, width) : text) << "\n";
  }
  print(session);
  if (more) std::cout << faint("older checkpoints are left out: --all shows them") << "\n";
}

}  // namespace

ThreadsShow::ThreadsShow(CLI::App& threads) : StoreCommand(threads, "show", description, examples) {
  options().add_option("THREAD", thread_id_, "The id of the thread")->required();
  options().add_option("--namespace", ns_, "Only this namespace; '' is the root graph");
  auto* all = options().add_flag("--all", all_, "All checkpoints");
  options()
      .add_option("--last", last_, "How many of the newest checkpoints, 50 if not given")
      ->excludes(all);
  options().add_flag("--values", values_, "Show the values, of all channels");
  print_by_pager();
}

Checkpoints ThreadsShow::read(Store& store, const Call& limits, bool& more) const {
  CheckpointList query{.thread_id = thread_id_,
                       .checkpoint_ns = ns_,
                       .checkpoint_id = {},
                       .before = {},
                       .filter = {},
                       .include = {},
                       .cursor = {}};
  Checkpoints checkpoints;
  do {
    query.limit = all_ ? 100 : std::min<std::size_t>(100, last_ - checkpoints.size());
    auto page = store.list(query, limits);
    query.cursor = page.next;
    std::move(page.items.begin(), page.items.end(), std::back_inserter(checkpoints));
  } while (!query.cursor.empty() && (all_ || checkpoints.size() < last_));
  more = !query.cursor.empty();
  return checkpoints;
}

ExitStatus ThreadsShow::execute() {
  const Call limits = call();
  const auto store = open_store();
  const auto thread = find_thread(*store, thread_id_, limits);
  bool more = false;
  const auto namespaces = by_namespace(read(*store, limits, more));
  const auto session = find_session(*store, thread_id_, limits);
  if (namespaces.empty() && (ns_ || session.empty())) {
    throw no_thread("checkpoints", thread_id_, store_name());
  }
  Json all = Json::array();
  if (!json()) print_heading(thread, session, more);
  for (const auto& [ns, checkpoints] : namespaces) {
    const Narrator narrator(checkpoints, values_);
    if (json()) {
      all.push_back({{"checkpoint_ns", ns}, {"checkpoints", narrator.json()}});
      continue;
    }
    if (!ns.empty()) std::cout << "\n" << bold("namespace " + printable(ns)) << "\n";
    narrator.print();
  }
  if (json()) {
    Json result = thread_json(thread);
    result["more"] = more;
    result["messages"] = session.messages;
    result["streams"] = session.streams;
    result["documents"] = session.documents;
    result["namespaces"] = std::move(all);
    std::cout << json_text(result) << "\n";
  }
  return ExitStatus::done;
}

}  // namespace threadkeep::cli
