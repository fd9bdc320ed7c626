// SPDX-License-Identifier: Apache-2.0
#include "messages_list.hpp"

#include <iostream>

#include "checkpoint_view.hpp"
#include "printable.hpp"
#include "terminal.hpp"

namespace threadkeep::cli {

namespace {

constexpr const char* description =
    "Lists the messages of a stream of a thread, oldest first.\n"
    "\n"
    "Each with its number in the stream, its role, the time when it was stored, and its id; then\n"
    "its content: the text where it is one, else the JSON.";

constexpr const char* examples =
    "Examples:\n"
    "  threadkeep messages list ada --url sqlite:agent.db --tail 10\n"
    "  threadkeep messages list ada --url sqlite:agent.db --stream notes --all --json";

Json json_of(const Message& message) {
  return {{"stream", message.stream},
          {"seq", message.seq},
          {"id", message.id},
          {"role", message.role},
          {"content", stored_json(message.content)},
          {"metadata", stored_json(message.metadata)},
          {"created_at", message.created_at},
          {"version", message.version}};
}

// Most contents are one JSON string; other JSON is shown as it was given.
std::string text_of(const Message& message) {
  if (!message.content.starts_with('"')) return message.content;
  const Json content = stored_json(message.content);
  return content.is_string() ? content.get<std::string>() : message.content;
}

void show(const Message& message) {
  std::cout << bold(std::to_string(message.seq) + "  " + printable(message.role)) << "  "
            << time_text(message.created_at) << "  " << faint(printable(message.id));
  if (message.version > 1) std::cout << "  version " << message.version;
  std::cout << "\n";
  print_lines(std::cout, text_of(message));
}

const ListingForm<Message> form = {"messages", json_of, {}, nullptr, show};

std::string stream_name(const std::string& stream) {
  return stream.empty() ? "the default stream" : "stream '" + printable(stream) + "'";
}

}  // namespace

MessagesList::MessagesList(CLI::App& messages)
    : StoreCommand(messages, "list", description, examples), pages_(options(), "messages") {
  options().add_option("THREAD", thread_id_, "The id of the thread")->required();
  options().add_option("--stream", stream_, "The stream; the default one if not given");
  auto* after = options().add_option("--after", after_, "Only messages with greater numbers");
  auto* tail = options().add_option("--tail", tail_, "Only so many, the newest ones");
  tail->excludes(after);
  for (const auto* name : {"--all", "--limit", "--cursor"}) {
    tail->excludes(options().get_option(name));
  }
  print_by_pager();
}

Page<Message> MessagesList::read_first(Store& store, const MessageList& query,
                                       const Call& call) const {
  if (!tail_) return store.messages(query, call);
  return {read_tail(store, {thread_id_, stream_, *tail_, {}}, call), ""};
}

void MessagesList::say_that_there_are_none(Store& store, const Call& call) const {
  if (!store.thread({thread_id_}, call)) throw no_thread("messages", thread_id_, store_name());
  if (json()) return;
  std::cout << "no messages in " << stream_name(stream_) << " of thread '" << printable(thread_id_)
            << "'";
  if (after_ > 0) std::cout << " after " << after_;
  std::string others;
  for (const auto& stream : store.streams({thread_id_}, call)) {
    if (stream != stream_) others += (others.empty() ? "" : ", ") + stream_name(stream);
  }
  if (!others.empty()) std::cout << "; there are some in " << others;
  std::cout << "\n";
}

ExitStatus MessagesList::execute() {
  const Call limits = call();
  MessageList query;
  query.thread_id = thread_id_;
  query.stream = stream_;
  query.after = after_;
  query.limit = pages_.page_size();
  query.cursor = pages_.cursor();
  const auto store = open_store();
  auto first = read_first(*store, query, limits);
  if (first.items.empty()) say_that_there_are_none(*store, limits);
  if (first.items.empty() && !json()) return ExitStatus::done;
  return Listing(form, json(), 0)
      .print(std::move(first), pages_.all(), [&](const std::string& cursor) {
        query.cursor = cursor;
        return store->messages(query, limits);
      });
}

}  // namespace threadkeep::cli
